// The local networks as a process of their own, so that they do not share a processor with what is measured.
// argv: options of the simulator as JSON. Tells its parent where they are, and what was requested between two messages, in a
// file: a line of JSON each, in the order of the answers.
import { createWriteStream } from 'node:fs'
import { startSimulator } from '../../dist/simulator/index.js'

let log
const { networks, close } = await startSimulator({
  ...JSON.parse(process.argv[2]),
  onAnswer: (network, request) => log?.push({ network, ...request }),
})

/** What the simulator keeps of each request would fill the memory at millions of them. */
const forget = setInterval(async () => {
  for (const { url } of networks)
    await fetch(`${url}/simulator/v1/requests`, { method: 'DELETE' }).catch(() => undefined)
}, 5_000)

const write = async (file) => {
  const out = createWriteStream(file)
  for (const request of log) {
    if (!out.write(`${JSON.stringify(request)}\n`)) await new Promise((drained) => out.once('drain', drained))
  }
  await new Promise((done) => out.end(done))
}

process.on('message', async ({ writeLog }) => {
  if (writeLog !== undefined) await write(writeLog)
  log = writeLog === undefined ? [] : undefined
  process.send({ isLogging: log !== undefined })
})
process.once('disconnect', async () => {
  clearInterval(forget)
  await close()
})
process.send({ networks })
