import { credentialsCsv, credentialsJson, type NewCredentials, newCredentials } from '../../index.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { neededIdentity } from '../identity.ts'
import { type KeysOut, refuseUnclear, writeKeys } from '../keys-out.ts'
import { counted, planFrom } from '../plan-file.ts'
import type { Command } from '../shell.ts'
import { withStores } from '../stores.ts'
import { tell } from '../tell.ts'

interface CredentialsOptions extends KeysOut {
  readonly device?: readonly string[]
  readonly format: 'csv' | 'json'
}

/** `ferry escrow credentials <plan>` */
export const credentials: Command<CredentialsOptions> = async (shell, [file = ''], options) => {
  refuseUnclear(options, 'the credentials are keys', 'credentials.csv')
  const loaded = await planFrom(file)
  const identity = await neededIdentity(shell.env)
  const found = await withStores(shell, loaded, (local, stores) =>
    newCredentials(local, stores, options.device, identity),
  )
  const number = found.credentials.length
  if (number === 0) {
    tell(shell.err, 'note', 'no device of this plan was given new credentials: nothing was written')
    return exitCodeOf('done')
  }
  if (found.from === 'files') {
    tell(
      shell.err,
      'warning',
      'there is no state to go by: these are the newest credentials of the folder, and may not be those on the target',
      'compare them with the target before you program a device',
    )
  }
  const isJson = options.format === 'json' || options.json === true
  await writeKeys(shell, options, isJson ? jsonLines(found.credentials) : credentialsCsv(found.credentials))
  tell(
    shell.err,
    'warning',
    `${options.output ?? 'the output'} holds the keys of ${counted(number, 'device')} in the clear`,
    'program the devices, then delete it',
  )
  return exitCodeOf('done')
}

const jsonLines = (list: readonly NewCredentials[]): string =>
  list.map((one) => `${credentialsJson(one)}\n`).join('')
