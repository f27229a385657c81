// The floor: a run's requests sent again by a bare client, to networks as they were before it. Same method, path and body, and
// the order within a device; of different devices so many at once. Nothing is parsed, decided or written.
// argv: { log, networks, atOnce, devices?, giveUpAfter? } as JSON; seconds. Tells its parent the seconds it took, and how many answers had
// another status than the run's.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Agent, request } from 'undici'

const { log, networks, atOnce, devices, giveUpAfter = Number.POSITIVE_INFINITY } = JSON.parse(process.argv[2])
const byName = new Map(networks.map((network) => [network.name, network]))

const deviceOf = ({ path, body }) =>
  /\/devices\/([^/?]+)/.exec(path)?.[1] ??
  (body === '' ? undefined : JSON.parse(body).end_device?.ids?.device_id)

/** Requests of each device in their order; those of none are a chain as well. */
const chains = new Map()
for await (const line of createInterface({ input: createReadStream(log) })) {
  const one = JSON.parse(line)
  const device = deviceOf(one)
  const chain = chains.get(device)
  if (chain === undefined) chains.set(device, [one])
  else chain.push(one)
}
const chosen = [...chains.entries()]
  .filter(([device]) => devices === undefined || device !== undefined)
  .slice(0, devices)
  .map(([, chain]) => chain)

const agent = new Agent({ connections: atOnce })
const began = performance.now()
const seconds = () => (performance.now() - began) / 1000
let next = 0
let requests = 0
let different = 0
const worker = async () => {
  for (let chain = chosen[next++]; chain !== undefined; chain = chosen[next++]) {
    for (const { network, method, path, body, status } of chain) {
      if (seconds() > giveUpAfter) return
      const { url, apiKey } = byName.get(network)
      const answer = await request(`${url}${path}`, {
        dispatcher: agent,
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...(body === '' ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === '' ? {} : { body }),
      })
      await answer.body.arrayBuffer()
      requests += 1
      if (answer.statusCode !== status) different += 1
    }
  }
}
await Promise.all(Array.from({ length: atOnce }, worker))
const took = seconds()
await agent.close()
process.send({ seconds: took, requests, different, isWhole: took <= giveUpAfter })
process.disconnect()
