import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import {
  type AgeIdentity,
  generateIdentity,
  identityMissing,
  loadIdentity,
  type MigrationPlan,
  type Secret,
  writeIdentity,
} from '../index.ts'
import type { Shell } from './shell.ts'
import { tell } from './tell.ts'

type Environment = Shell['env']

/** Where the user's own identity lies: `$XDG_CONFIG_HOME/ferry/identity.txt`, `~/.config` by default. */
export const ownIdentityFile = (env: Environment): string => {
  const named = env['XDG_CONFIG_HOME']
  const base = named !== undefined && isAbsolute(named) ? named : join(env['HOME'] ?? homedir(), '.config')
  return join(base, 'ferry', 'identity.txt')
}

/** The identity that FERRY_AGE_IDENTITY names, or else the user's own; undefined where there is none. */
export const identityAtHand = async (env: Environment): Promise<AgeIdentity | undefined> => {
  const named = env['FERRY_AGE_IDENTITY']
  if (named !== undefined && named !== '') return loadIdentity(named)
  const own = ownIdentityFile(env)
  return existsSync(own) ? loadIdentity(own) : undefined
}

/** The identity at hand. @throws FerryError `credentials` `IdentityMissing` */
export const neededIdentity = async (env: Environment): Promise<Secret> => {
  const found = await identityAtHand(env)
  if (found !== undefined) return found.identity
  throw identityMissing(ownIdentityFile(env))
}

export interface EscrowKeys {
  /** Besides the plan's own. */
  readonly recipients: readonly string[]
  /** Reads back what is written for the recipients. */
  readonly identity?: Secret
  /** Writes an identity that was made for this run; to be called before anything is encrypted for it. */
  keep(): Promise<void>
}

/**
 * The keys that an apply encrypts for. A plan without recipients gets those of the identity at hand, on a terminal
 * one that is made for the user; elsewhere none, and the operation refuses.
 */
export const escrowKeysFor = async (shell: Shell, plan: MigrationPlan): Promise<EscrowKeys> => {
  const { env } = shell
  const isNamed = (env['FERRY_AGE_IDENTITY'] ?? '') !== ''
  const { recipients } = plan.escrow
  const found = isNamed || recipients.length > 0 || shell.canAsk ? await identityAtHand(env) : undefined
  const keep = async (): Promise<void> => undefined
  if (recipients.length > 0) {
    const reads = found !== undefined && (isNamed || recipients.includes(found.recipient))
    return { recipients: [], keep, ...(reads ? { identity: found.identity } : {}) }
  }
  if (found !== undefined) return { recipients: [found.recipient], identity: found.identity, keep }
  return shell.canAsk ? newKeys(shell) : { recipients: [], keep }
}

const newKeys = async (shell: Shell): Promise<EscrowKeys> => {
  const pair = await generateIdentity()
  const file = ownIdentityFile(shell.env)
  return {
    recipients: [pair.recipient],
    identity: pair.identity,
    keep: async () => {
      await writeIdentity(file, pair, shell.clock)
      tell(
        shell.err,
        'note',
        `the plan names no escrow recipient: a key pair was made for you, its identity is ${file}`,
        `keep a copy of it in a safe place, and write its public key into escrow.recipients: ${pair.recipient}`,
      )
    },
  }
}
