import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sampleDevices } from '../../src/simulator/sample/devices.ts'
import { radioOf, virtualDeviceOf } from '../../src/simulator/virtual-device.ts'
import type { Ended } from './support.ts'
import { createWatched, identityIn, type Watched } from './watched.ts'

const GENERATED = 'persistSession: true, rootKeys: generate, deleteSource: after-heard'

const expectCode = ({ code, stdout, stderr }: Ended, ...codes: readonly number[]): Ended => {
  if (!codes.includes(code ?? -1))
    throw new Error(`${codes.join(' or ')} wanted, not ${code}: ${stdout}${stderr}`)
  return { code, stdout, stderr }
}

/** Every command once and more, from the first plan to the rollback, each as it is meant to go. */
export const wholeCourse = async (): Promise<Watched> => {
  const place = await createWatched()
  const { byDesign, secrets } = place
  const go = async (
    words: string,
    codes: readonly number[] = [0],
    options: Parameters<Watched['ferry']>[1] = {},
  ): Promise<Ended> => expectCode(await place.ferry(words.split(' '), options), ...codes)

  byDesign.set('other/identity.txt', ['age'])
  await go('escrow keygen -o other/identity.txt --json')
  secrets.age.add(identityIn(await place.read('other/identity.txt')))
  await place.plan({ policy: GENERATED })
  const [source, target] = place.simulator.networks
  await go(
    `init first.yaml --name first --source-url ${source.url} --source-app ${source.application}` +
      ` --source-key-env SOURCE_API_KEY --target-url ${target.url} --target-app ${target.application}` +
      ' --target-key-env TARGET_API_KEY --keep-sessions --gateways moving-now',
    [0, 3],
  )
  await Promise.all([go('validate plan.yaml'), go('validate plan.yaml --json')])
  await Promise.all([go('plan plan.yaml -o plan.changes --debug'), go('plan plan.yaml --json')])
  await Promise.all([go('plan plan.yaml --format markdown'), go('plan plan.yaml')])
  await Promise.all([go('show plan.changes'), go('show plan.changes --json')])
  await Promise.all([go('show plan.changes --format markdown'), go('show plan.changes --device meter-103')])
  await go('apply plan.changes --yes --json-lines --debug=apply.log', [7])
  await Promise.all([go('status plan.yaml'), go('status plan.yaml --json')])
  await Promise.all([go('verify plan.yaml', [8]), go('audit plan.yaml', [0, 8])])
  await hear(place)
  await Promise.all([go('verify plan.yaml --json', [0, 8]), go('audit plan.yaml --json', [0, 8])])
  await Promise.all([go('escrow list plan.yaml'), go('escrow list plan.yaml --json')])

  byDesign.set('new.csv', ['devices'])
  byDesign.set('restored.json', ['devices'])
  byDesign.set('exported.json', ['devices'])
  const prints = { prints: ['devices'] as const }
  await Promise.all([
    go('escrow credentials plan.yaml -o new.csv'),
    go('escrow credentials plan.yaml --stdout --format json', [0], prints),
  ])
  const made = await place.read('new.csv')
  for (const [key] of made.matchAll(/\b[0-9A-F]{32}\b/gi)) secrets.devices.add(key)
  await place.plan({ file: 'out.yaml', name: 'out', include: '{ ids: [meter-104, sensor-110] }' })
  await Promise.all([
    go('export out.yaml --with-keys -o exported.json'),
    go('export out.yaml --with-keys', [0], prints),
  ])
  await Promise.all([
    go('escrow restore plan.yaml --device meter-103 --out restored.json'),
    go('state show plan.yaml'),
  ])
  await go('escrow restore plan.yaml --device meter-103 --yes --json')
  await go('apply plan.yaml --yes', [0, 5, 7])
  await go('state compact plan.yaml')
  await go('rollback plan.yaml --yes', [0, 7])
  await Promise.all([
    go('state repair plan.yaml'),
    go('state unlock plan.yaml 00000000-0000-0000-0000-000000000000', [0, 5, 6, 64]),
  ])
  await Promise.all([simulated(place), demonstrated(place)])
  return place
}

const hear = async (place: Watched): Promise<void> => {
  const target = radioOf(place.simulator.networks[1])
  for (const id of ['meter-102', 'meter-103', 'valve-abp']) {
    const sample = sampleDevices.find((each) => each.id === id)
    if (sample !== undefined) await virtualDeviceOf(sample).uplink(target, { confirmed: true })
  }
}

/** It tells the keys of its own networks by design; not those of devices. */
const simulated = async (place: Watched): Promise<void> => {
  let killed = false
  await place.ferry(['simulate'], {
    prints: ['api'],
    onOutput: (text, kill) => {
      if (killed || !text.endsWith('\n')) return
      killed = true
      const { networks } = JSON.parse(text) as { networks: readonly { readonly apiKey: string }[] }
      for (const { apiKey } of networks) place.secrets.api.add(apiKey)
      kill('SIGTERM')
    },
  })
}

/** Its folder is kept, in the folder for temporary files, and searched as all others. */
const demonstrated = async (place: Watched): Promise<void> => {
  expectCode(await place.ferry(['demo', '--keep']), 0)
  for (const folder of await readdir(place.path('tmp'))) {
    const file = join('tmp', folder, 'identity.txt')
    place.byDesign.set(file, ['age'])
    place.secrets.age.add(identityIn(await readFile(place.path(file), 'utf8')))
  }
}
