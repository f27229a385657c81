// The plan that is measured, and what it needs.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Makes an age identity in a folder. @returns its public key */
export const identityIn = (folder) => {
  const told = execFileSync(
    process.execPath,
    [resolve('dist/cli/main.js'), 'escrow', 'keygen', '-o', join(folder, 'identity.txt')],
    {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  return /age1\w+/.exec(told)[0]
}

/** Writes `fleet.yaml`. @returns the environment that it names */
export const writePlan = (folder, [source, target], recipient, more = '') => {
  const end = ({ url, application }, key) =>
    `{ network: things-stack, url: "${url}", application: ${application}, apiKey: { env: ${key} }, insecure: true }`
  writeFileSync(
    join(folder, 'fleet.yaml'),
    `apiVersion: ferry/v1
kind: MigrationPlan
metadata: { name: fleet }
source: ${end(source, 'SOURCE_API_KEY')}
target: ${end(target, 'TARGET_API_KEY')}
devices: { include: [{ all: true }] }
policy: { persistSession: true }
coverage: { gateways: on-target }
escrow: { recipients: [${recipient}] }
${more}`,
  )
  return { SOURCE_API_KEY: source.apiKey, TARGET_API_KEY: target.apiKey }
}
