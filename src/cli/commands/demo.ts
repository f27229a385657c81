import { demoPlan, MOVING } from '../demo/plan.ts'
import { askSource, hearOnSource, hearOnTarget, radioFor } from '../demo/radio.ts'
import { type Teller, tellerOn } from '../demo/teller.ts'
import { startWorld, type World } from '../demo/world.ts'
import { EXIT_CODES, exitCodeOf } from '../exit-codes.ts'
import type { Command, Output } from '../shell.ts'

const PLAN = 'building-a.yaml'
const CHANGES = 'building-a.changes'

/** `ferry demo`: the commands that a user would type, on local networks; 0 only when every claim held. */
export const demo: Command<{ readonly keep?: boolean }> = async (shell, _args, options) => {
  const started = performance.now()
  const out: Output = { ...shell.out, width: Math.min(80, shell.out.width), write: shell.out.write }
  const teller = tellerOn(out)
  const world = await startWorld(shell, out)
  let isWell = false
  try {
    await story(world, teller, () => shell.interrupts.signal.throwIfAborted())
    isWell = teller.broken().length === 0
  } finally {
    await world.close(options.keep === true)
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  teller.say(
    isWell
      ? `\n${out.style.green('DONE')}  ${teller.held()} claims held, in ${seconds} s.`
      : `\n${out.style.red('FAILED')}  ${teller.broken().length} claims did not hold: ${teller.broken().join('; ')}.`,
  )
  if (options.keep === true) teller.say(`Plan, state and escrow are in ${world.folder}`)
  return exitCodeOf(isWell ? 'done' : 'unexpected')
}

const story = async (world: World, teller: Teller, goOn: () => void): Promise<void> => {
  const [source, target] = world.simulator.networks
  const radio = radioFor(world.simulator)
  const run = async (
    ends: keyof typeof EXIT_CODES,
    means: string,
    ...argv: readonly string[]
  ): Promise<void> => {
    goOn()
    teller.command(argv)
    const code = await world.ferry(argv)
    teller.say('')
    teller.claim(`exit code ${EXIT_CODES[ends]}: ${means}`, code === EXIT_CODES[ends], `it was ${code}`)
  }

  teller.chapter('Two networks, a plan')
  teller.say(`source  ${source.url}  application ${source.application}, 20 devices`)
  teller.say(`target  ${target.url}  application ${target.application}, empty\n`)
  const recipient = await world.capture(['escrow', 'keygen', '-o', 'identity.txt'])
  const text = demoPlan(source, target, recipient.trim())
  await world.write(PLAN, text)
  teller.say(`${PLAN}:\n`)
  teller.say(text.replace(/^(?=.)/gm, '    '))
  await run('done', 'the plan is valid', 'validate', PLAN)

  teller.chapter('What would be done')
  await run('done', 'nothing was written, it can be reviewed now', 'plan', PLAN, '-o', CHANGES)
  teller.claim('planning wrote to neither network', (await world.writes()) === 0)
  await hearOnSource(radio, teller)

  teller.chapter('It is approved, and done')
  await run('partial', 'the devices have to be heard yet', 'apply', CHANGES, '--yes')

  teller.chapter('The devices send')
  await hearOnTarget(radio, teller)
  await askSource(radio, teller)
  teller.say('')
  await run('done', 'all heard, and as planned', 'verify', PLAN)

  teller.chapter('The source forgets their root keys')
  await run('partial', 'the source is deleted 7 days after they were heard', 'apply', PLAN, '--yes')
  await askSource(radio, teller)

  teller.chapter('A week later, the source is deleted')
  world.wait(8)
  await run('done', 'every device is migrated', 'apply', PLAN, '--yes')
  teller.claim(`the source holds none of the ${MOVING.length} devices, the target all`, await hasMoved(world))

  teller.chapter('Once more')
  await world.writes()
  await run('done', 'nothing to do', 'apply', PLAN, '--yes')
  const writes = await world.writes()
  teller.claim('it changed nothing: 0 write requests on both networks', writes === 0, `${writes} requests`)
}

const REGISTRIES = ['identityServer', 'joinServer', 'networkServer', 'applicationServer'] as const

const hasMoved = async (world: World): Promise<boolean> => {
  const [source, target] = await Promise.all([world.store('source'), world.store('target')])
  const holds = (store: typeof source, registry: string, id: string): boolean =>
    Object.keys(store[registry] ?? {}).some((key) => key.endsWith(`/${id}`))
  return MOVING.every(
    (id) =>
      REGISTRIES.every((registry) => !holds(source, registry, id)) && holds(target, 'identityServer', id),
  )
}
