import { NetworkError } from '../../domain/errors.ts'
import type { FileEnd } from '../../domain/migration-plan.ts'
import type { NetworkPort } from '../../domain/ports.ts'
import { type Bytes, openBytes } from './bytes.ts'
import { type Catalogue, catalogueOf } from './catalogue.ts'
import { isThingsStackCsv } from './columns.ts'
import { formatOf, headingsOf, isJson } from './formats.ts'
import { guessColumns } from './guess.ts'

/** Devices a page. */
const PAGE = 1_000

interface Opened {
  readonly bytes: Bytes
  readonly catalogue: Catalogue
}

const opened = async (end: FileEnd): Promise<Opened> => {
  const bytes = await openBytes(end.path, end.name)
  try {
    return { bytes, catalogue: await catalogueOf(bytes, await formatOf(bytes, end), end) }
  } catch (error) {
    await bytes.close()
    throw error
  }
}

/**
 * What a plan has to say of a file so that it can be read, as far as its first line tells.
 * @throws FerryError as reading it does
 */
export const lookAtFile = async (path: string, name: string): Promise<Pick<FileEnd, 'columns'>> => {
  const bytes = await openBytes(path, name)
  try {
    if (isJson(bytes)) return {}
    const headings = await headingsOf(bytes, name)
    return isThingsStackCsv(headings) ? {} : { columns: guessColumns(headings) }
  } finally {
    await bytes.close()
  }
}

/** What a plan that asks it of a file should have been refused for. */
const unsupported =
  (what: string, { name }: FileEnd) =>
  async (): Promise<never> => {
    throw new NetworkError(
      'ApiUnsupported',
      `the file ${name} can not ${what}`,
      { effect: 'none', request: 'none' },
      { hint: 'report this: a plan that asks for it should have been refused' },
    )
  }

/**
 * Devices that a file describes, as the engine sees a network: they can be read. Whoever serves them is stopped by a
 * person. The file is opened by the first method that needs it, gone through once, and never written.
 * @throws FerryError kind `plan-invalid` from its methods where it is not what the plan says, `stale` where it changes
 */
export const createFile = ({ end }: { readonly end: FileEnd }): NetworkPort => {
  let opening: Promise<Opened> | undefined
  const open = (): Promise<Opened> => {
    opening ??= opened(end)
    return opening
  }
  const read: NetworkPort['read'] = async (deviceId) => (await open()).catalogue.read(deviceId)
  return {
    identity: { network: 'file', host: 'file', application: end.name },
    stoppedByHand: true,
    preflight: async () => {
      await open()
      return []
    },
    facts: async () => ({ devAddrPrefixes: [], frequencyPlans: [], phyVersions: {}, serverAddresses: {} }),
    defaultMacSettings: async () => ({}),
    list: async function* () {
      const { devices } = (await open()).catalogue
      for (let from = 0; from < devices.length; from += PAGE) yield devices.slice(from, from + PAGE)
    },
    elsewhere: async () => [],
    read,
    readSession: async (deviceId) => (await read(deviceId)).registries['network-server'],
    // Nothing waits in a file.
    downlinkQueue: async () => [],
    pushDownlinks: unsupported('be sent downlinks', end),
    replaceDownlinks: unsupported('be sent downlinks', end),
    newDevAddr: unsupported('give a DevAddr', end),
    write: unsupported('be written', end),
    remove: unsupported('lose a device', end),
    close: async () => {
      await opening?.then(
        ({ bytes }) => bytes.close(),
        () => undefined,
      )
    },
  }
}
