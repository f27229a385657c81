import { type Command as Commander, Option } from 'commander'
import { GUARDS } from '../domain/change-set.ts'
import { collect, parseAllow, parseDigest, parseDuration } from './arguments.ts'
import { declareLocalCommands } from './declarations-local.ts'
import { type Ask, codes, examples, formatOption, runs } from './declare.ts'

/** The options of every command. What a command does is loaded when it runs, so that `--help` is quick. */

export const declareCommands = (program: Commander, ask: Ask): void => {
  declareInit(program, ask)
  declarePlanning(program, ask)
  declareApply(program, ask)
  declareRollback(program, ask)
  declareLooking(program, ask)
  declareLocalCommands(program, ask)
}

const declareInit = (program: Commander, ask: Ask): void => {
  const init = program
    .command('init')
    .summary('write a plan for an application or a file')
    .description(
      'Writes a plan for an existing application, or for a file of devices. Asks on a terminal for what no option says.',
    )
    .argument('[plan]', 'file to write; default NAME.yaml')
    .option('--name <name>', 'name of the plan; default the application of the source')
  for (const side of ['source', 'target'] as const) {
    init
      .option(`--${side}-url <url>`, `address of the ${side} network`)
      .option(`--${side}-app <id>`, `application on the ${side}`)
      .option(`--${side}-key-env <name>`, `environment variable with the API key of the ${side}`)
      .option(`--${side}-key-file <file>`, `or a file with it`)
      .option(`--${side}-ca-file <file>`, `PEM file with certificate authorities of the ${side}`)
  }
  init
    .option('--source-file <file>', 'devices.json or CSV instead of a source network')
    .option('--frequency-plan <id>', 'where a CSV does not tell it')
    .option('--lorawan-version <version>', 'where a CSV does not tell it, such as 1.0.3')
    .option('--lorawan-phy-version <version>', 'where a CSV does not tell it')
    .option('--keep-sessions', 'sessions go on at the target')
    .option('--join-anew', 'OTAA devices join anew at the target')
    .addOption(
      new Option('--gateways <where>', 'where the gateways of kept sessions are').choices([
        'on-target',
        'moving-now',
        'packet-broker',
        'unknown',
      ]),
    )
    .option('--device <id>', 'move this device alone; can be repeated', collect)
    .option('--ids-file <file>', 'move the devices that this file lists')
    .option('--match <pattern>', 'move the devices whose ids match, such as meter-*')
    .option('--recipient <age1...>', 'public key for the escrow; can be repeated', collect)
    .action(runs(ask, async () => (await import('./commands/init.ts')).init))
  examples(
    init,
    ['ferry init', 'asks for everything'],
    ['ferry init --source-file meters.csv', 'asks for the target, and for what the file does not tell'],
    [
      'ferry init --source-url https://eu1.cloud.thethings.network --source-app building-a --source-key-env SOURCE_API_KEY --target-url https://example.eu1.cloud.thethings.industries --target-app building-a --target-key-env TARGET_API_KEY --keep-sessions --gateways moving-now',
      'asks for nothing',
    ],
  )
  codes(init, '0 written, 3 an answer is wrong, 9 key refused, 64 something is missing or the file exists')
}

const declarePlanning = (program: Commander, ask: Ask): void => {
  const validate = program
    .command('validate')
    .summary('check plans, without networks')
    .description(
      'Checks plans without networks: every finding in one run, with its place. Without arguments it checks the migration plans (*.yaml, *.yml) of the working folder and of plans/.',
    )
    .argument('[plan...]', 'plans')
    .addOption(formatOption(['text', 'json']))
    .action(runs(ask, async () => (await import('./commands/validate.ts')).validate))
  examples(
    validate,
    ['ferry validate building-a.yaml', 'one plan'],
    ['ferry validate --json', 'all plans here, for a program'],
    ['ferry validate --format github', 'in a workflow: findings at their lines'],
  )
  codes(validate, '0 valid (warnings too), 3 errors, 64 no plan')

  const plan = program
    .command('plan')
    .summary('print what an apply would do')
    .description('Reads both networks and prints what an apply would do. Writes to neither.')
    .argument('<plan>', 'migration plan')
    .option('-o, --output <file>', 'save the change set, to be reviewed and applied')
    .addOption(formatOption())
    .option('--detailed-exitcode', 'exit 2 when changes are pending')
    .action(runs(ask, async () => (await import('./commands/plan.ts')).plan))
  examples(
    plan,
    ['ferry plan building-a.yaml', 'preview for people'],
    ['ferry plan building-a.yaml -o building-a.changes', 'saved for ferry apply'],
    ['ferry plan building-a.yaml --format markdown', 'for a pull request'],
  )
  codes(plan, '0 planned, 2 changes (--detailed-exitcode), 3 invalid, 4 blocked, 5 state, 9 credentials')

  const show = program
    .command('show')
    .summary('print a saved change set again')
    .description('Prints the preview of a saved change set again, or all of one group or device.')
    .argument('<change-set>', 'file of ferry plan -o')
    .option('--group <id>', 'one group, such as G5')
    .option('--device <id>', 'one device, by id or DevEUI')
    .addOption(formatOption())
    .action(runs(ask, async () => (await import('./commands/show.ts')).show))
  examples(
    show,
    ['ferry show building-a.changes', 'the preview'],
    ['ferry show building-a.changes --group G5', 'a group with all its devices'],
    ['ferry show building-a.changes --device meter-7', 'a device with all its fields'],
  )
  codes(show, '0 shown, 5 damaged or edited, 64 no such group, device or file')
}

const declareApply = (program: Commander, ask: Ask): void => {
  const apply = program
    .command('apply')
    .summary('carry out a plan or a change set')
    .description(
      'Carries out a plan or a saved change set. Goes on where an earlier run ended. Asks on a terminal.',
    )
    .argument('<plan|change-set>', 'migration plan, or file of ferry plan -o')
    .option('-y, --yes', 'do not ask; needed where there is no terminal')
    .option(
      '--allow <name=count>',
      `lift a guard up to a count (${GUARDS.join(', ')}); can be repeated`,
      parseAllow,
    )
    .option('--expect <digest>', 'refuse when the change set has another digest', parseDigest)
    .option(
      '--confirm-handover',
      'devices of a file: all that wait for it are stopped where they were served',
    )
    .option('--confirm-device <id>', 'as --confirm-handover, for one device; can be repeated', collect)
    .option(
      '--wait <time>',
      'stay so long for waves to be heard and the change window, such as 8h',
      parseDuration,
    )
    .option('--json-lines', 'print every event as a line of JSON while it happens')
    .action(runs(ask, async () => (await import('./commands/apply.ts')).apply))
  examples(
    apply,
    ['ferry apply building-a.changes', 'what was reviewed'],
    ['ferry apply building-a.yaml --yes', 'whatever the plan says now'],
    ['ferry apply building-a.yaml --yes --expect 9f2c41d07a', 'only if it is this'],
    ['ferry apply from-file.yaml --confirm-handover', 'their old network is stopped'],
    ['ferry apply building-a.changes --yes --wait 8h', 'wave by wave, through the night'],
  )
  codes(
    apply,
    '0 all devices are done, 4 guard, only blocked devices left, or not confirmed, 5 stale, 6 locked, 7 run again later (devices wait to be heard, or failed), 9 credentials, 64 --yes is missing, 74 state not written, 130 and 143 interrupted',
  )
}

const declareRollback = (program: Commander, ask: Ask): void => {
  const rollback = program
    .command('rollback')
    .summary('take devices back to the source')
    .description(
      'Undoes a migration, a run of it, or single devices, newest first: the target falls silent, the source gets back what it had with what the target has counted, and serves the device again. Needs the identity of the escrow. Goes on where an earlier rollback ended. Asks on a terminal.',
    )
    .argument('<plan>', 'migration plan')
    .option('--device <id>', 'this device alone, by its id on the source; can be repeated', collect)
    .option('--run <id>', 'the devices that began to cross in this run of ferry apply, or last')
    .option('--wave <name>', 'the devices of this wave: canary, a number, or rest')
    .option('-y, --yes', 'do not ask; needed where there is no terminal')
    .action(runs(ask, async () => (await import('./commands/rollback.ts')).rollback))
  examples(
    rollback,
    ['ferry rollback building-a.yaml', 'everything that was begun'],
    ['ferry rollback building-a.yaml --run last', 'what the last apply began'],
    ['ferry rollback building-a.yaml --wave 2', 'the second wave'],
    ['ferry rollback building-a.yaml --device meter-7', 'one device'],
  )
  codes(
    rollback,
    '0 all are taken back or left, 4 not confirmed, 5 state, 6 locked, 7 run again, 9 credentials or no identity, 64 unknown device or run',
  )
}

const declareLooking = (program: Commander, ask: Ask): void => {
  const status = program
    .command('status')
    .summary('tell where each device is')
    .description(
      'Tells where each device is, what is next, and what failed: from the state, without networks.',
    )
    .argument('<plan>', 'migration plan')
    .option('--watch', 'keep showing it, until it is interrupted')
    .option('--html <file>', 'write it as a page that needs nothing else: states, waves, runs, devices')
    .action(runs(ask, async () => (await import('./commands/status.ts')).status))
  examples(
    status,
    ['ferry status building-a.yaml', 'all devices that were begun'],
    ['ferry status building-a.yaml --watch', 'while an apply or a verify is at work'],
    ['ferry status building-a.yaml --html report.html', 'for those who were not there'],
  )
  codes(status, '0 read, 3 invalid plan, 5 state damaged or of another plan')

  const verify = program
    .command('verify')
    .summary('compare the target with the plan, wait for devices')
    .description('Compares the target with what was planned, and tells which devices it has heard.')
    .argument('<plan>', 'migration plan')
    .option('--wait <time>', 'wait so long until all devices are heard, such as 2h', parseDuration)
    .action(runs(ask, async () => (await import('./commands/verify.ts')).verify))
  examples(verify, ['ferry verify building-a.yaml --wait 2h', 'until all are heard, two hours at most'])
  codes(verify, '0 all heard or equal, 8 differences or silent devices, 6 locked, 9 credentials')

  const audit = program
    .command('audit')
    .summary('find half-registered devices and orphans')
    .description(
      'Looks in every registry of both networks for devices that are registered in part, for records that no listing shows, and for EUIs that are held twice. Writes to neither.',
    )
    .argument('<plan>', 'migration plan')
    .action(runs(ask, async () => (await import('./commands/audit.ts')).audit))
  examples(
    audit,
    ['ferry audit building-a.yaml', 'what is wrong, what it means, and the repair'],
    ['ferry audit building-a.yaml --json', 'every device with the registries that hold it'],
  )
  codes(audit, '0 all registered in whole, 8 something was found, 3 invalid, 5 state, 9 credentials')

  const exportCommand = program
    .command('export')
    .summary('write the devices of the source to a file')
    .description(
      'Writes the devices of the source as the Console and ttn-lw-cli import them, and as ferry reads them: a JSON object a line, or the CSV of The Things Stack. Reads the source alone, and changes nothing. Sessions are written as the policy of the plan has it.',
    )
    .argument('<plan>', 'migration plan')
    .option('-o, --output <file>', 'file to write, mode 0600; default the standard output')
    .addOption(
      new Option('--format <format>', 'what to write')
        .choices(['devices-json', 'csv'])
        .default('devices-json'),
    )
    .option('--with-keys', 'with root keys, and with sessions: KEYS IN THE CLEAR')
    .option('-y, --yes', 'do not ask on a terminal before keys are written')
    .action(runs(ask, async () => (await import('./commands/export.ts')).exportDevices))
  examples(
    exportCommand,
    ['ferry export building-a.yaml', 'what the source holds, without keys'],
    ['ferry export building-a.yaml --with-keys -o devices.json', 'for an import by hand'],
  )
  codes(exportCommand, '0 exported, 3 invalid, 4 no device can be exported, or not confirmed, 9 credentials')
}
