import { type Command as Commander, Option } from 'commander'
import { collect, parseCount, parsePort, parseRate } from './arguments.ts'
import { type Ask, codes, examples, runs } from './declare.ts'

/** Commands that work on files of this machine, and the local networks. */
export const declareLocalCommands = (program: Commander, ask: Ask): void => {
  declareEscrow(program, ask)
  declareState(program, ask)
  declareSimulator(program, ask)
}

const declareEscrow = (program: Commander, ask: Ask): void => {
  const load = (name: 'keygen' | 'list' | 'restore') => async () =>
    (await import('./commands/escrow.ts'))[name]
  const escrow = program
    .command('escrow')
    .summary('the encrypted records of the source')
    .description(
      'The encrypted records of the source and the new credentials of devices: make a key pair, list them, give devices back, decrypt credentials.',
    )
  examples(
    escrow,
    ['ferry escrow keygen', 'prints the public key for escrow.recipients'],
    ['ferry escrow list building-a.yaml', 'which devices it holds'],
    ['ferry escrow restore building-a.yaml --device meter-7', 'back to the source, muted'],
  )
  examples(
    escrow
      .command('keygen')
      .description('Makes an age key pair: the identity into a file, the public key on stdout.')
      .option('-o, --output <file>', 'identity file; default identity.txt in the user configuration of ferry')
      .action(runs(ask, load('keygen'))),
    ['ferry escrow keygen -o ~/ferry-identity.txt', 'the public key is printed'],
  )
  examples(
    escrow
      .command('list')
      .description(
        'Lists where the record of each device lies, and its new credentials (stage new). Needs no identity.',
      )
      .argument('<plan>', 'migration plan')
      .action(runs(ask, load('list'))),
    ['ferry escrow list building-a.yaml', 'device, stage, file and line'],
  )
  examples(
    escrow
      .command('restore')
      .description(
        'Gives devices back to the source of the plan: creates them where they are missing, puts back root keys that were replaced, lowers no counter, and leaves them muted. Needs FERRY_AGE_IDENTITY.',
      )
      .argument('<plan>', 'migration plan')
      .requiredOption('--device <id>', 'device id on the source; can be repeated', collect)
      .option('--out <file>', 'write the records to a file instead, mode 0600, KEYS IN THE CLEAR')
      .option('-y, --yes', 'do not ask; needed where there is no terminal')
      .action(runs(ask, load('restore'))),
    ['ferry escrow restore building-a.yaml --device meter-7', 'back to the source, muted'],
    ['ferry escrow restore building-a.yaml --device meter-7 --out meter-7.json', 'to a file'],
  )
  declareCredentials(escrow, ask)
}

const declareCredentials = (escrow: Commander, ask: Ask): void => {
  const credentials = escrow
    .command('credentials')
    .summary('decrypt new credentials, for whoever programs devices')
    .description(
      'Writes the new keys, EUIs and addresses of the devices that have to be programmed: the newest of each, KEYS IN THE CLEAR. Needs FERRY_AGE_IDENTITY.',
    )
    .argument('<plan>', 'migration plan')
    .option('--device <id>', 'this device alone, by its id on the source; can be repeated', collect)
    .option('-o, --output <file>', 'file to write, mode 0600')
    .option('--stdout', 'or print them, keys and all')
    .addOption(
      new Option('--format <format>', 'table with a head, or a JSON object a line')
        .choices(['csv', 'json'])
        .default('csv'),
    )
    .action(runs(ask, async () => (await import('./commands/escrow-credentials.ts')).credentials))
  examples(
    credentials,
    ['ferry escrow credentials building-a.yaml -o credentials.csv', 'of all devices that have new ones'],
    ['ferry escrow credentials building-a.yaml --device meter-7 --format json --stdout', 'of one device'],
  )
  codes(
    credentials,
    '0 written (nothing, where no device has new ones), 5 escrow missing or damaged, 9 no identity, or not the right one, 64 neither -o nor --stdout, or a device without',
  )
}

const declareState = (program: Commander, ask: Ask): void => {
  const load = (name: 'show' | 'unlock' | 'repair' | 'compact') => async () =>
    (await import('./commands/state.ts'))[name]
  const state = program
    .command('state')
    .summary('the state file of a plan')
    .description('The state file of a plan: what is known to be done.')
  examples(
    state,
    ['ferry state show building-a.yaml', 'runs, devices and lock'],
    ['ferry state unlock building-a.yaml ID', 'takes away the lock of a run that is gone'],
    ['ferry state repair building-a.yaml', 'keeps what can be trusted of a damaged file'],
  )
  examples(
    state
      .command('show')
      .summary('print runs, devices and who holds the lock')
      .description('Prints what the state holds: serial, runs, devices, and who holds the lock.')
      .argument('<plan>', 'migration plan')
      .action(runs(ask, load('show'))),
    ['ferry state show building-a.yaml', 'a summary'],
  )
  examples(
    state
      .command('unlock')
      .description('Removes the lock of a run that is gone, by the id that the refusal named.')
      .argument('<plan>', 'migration plan')
      .argument('<id>', 'id of the lock')
      .action(runs(ask, load('unlock'))),
    ['ferry state unlock building-a.yaml 5f3c0a52-8b1e-4f0e-9a7e-2d1c6b9f4e10', 'by its id'],
  )
  examples(
    state
      .command('repair')
      .description('Cuts a damaged state file back to what can be trusted; keeps the damaged one beside it.')
      .argument('<plan>', 'migration plan')
      .action(runs(ask, load('repair'))),
    ['ferry state repair building-a.yaml', 'tells what was dropped'],
  )
  examples(
    state
      .command('compact')
      .description('Rewrites the state file without the records that later ones made void.')
      .argument('<plan>', 'migration plan')
      .action(runs(ask, load('compact'))),
    ['ferry state compact building-a.yaml', 'means the same before and after'],
  )
}

const declareSimulator = (program: Commander, ask: Ask): void => {
  examples(
    program
      .command('simulate')
      .summary('start two local networks')
      .description(
        'Starts two local networks with a sample application, prints one line of JSON that tells how to reach them, and runs until ended.',
      )
      .option('--empty', 'leave the applications out')
      .option('--port <number>', 'first port; default free ones', parsePort)
      .option('--latency <ms>', 'delay each answer by so many milliseconds', parseCount)
      .option('--split', "serve the target's Identity Server on a port of its own")
      .option('--rate <n/window>', 'limit requests, such as 100/1m', parseRate)
      .addOption(new Option('--with <network>', 'start another network beside them').choices(['ttn-v2']))
      .action(runs(ask, async () => (await import('./commands/simulate.ts')).simulate)),
    ['ferry simulate', 'on free ports'],
    ['ferry simulate --port 8000 --latency 50', 'slower, on known ports'],
  )
  examples(
    program
      .command('demo')
      .summary('run a whole migration on local networks')
      .description('Runs a whole migration on local networks, in a temporary folder, in some seconds.')
      .option('--keep', 'keep the folder with plan, state and escrow')
      .action(runs(ask, async () => (await import('./commands/demo.ts')).demo)),
    ['ferry demo', 'plan, preview, apply, devices heard, apply again'],
  )
}
