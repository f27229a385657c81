import type { JournalRecord } from '../../src/domain/journal.ts'
import { foldState, statusRows, takeHistory } from '../../src/index.ts'
import { renderHtml } from '../../src/report/html/report.ts'

const BEGAN = Date.parse('2026-03-02T22:00:00Z')
const MINUTE = 60_000
const at = (minutes: number): string => new Date(BEGAN + minutes * MINUTE).toISOString()

/** Texts that a network or a person may have chosen; none of it may become markup, run or load anything. */
const HOSTILE = '</script><img src="http://127.0.0.1:1/x.png" onerror="document.title=\'taken\'">'

const opened = (run: string, command: string, minutes: number): JournalRecord => ({
  t: 'open',
  run,
  at: at(minutes),
  command,
  plan: `sha256:${'1'.repeat(64)}` as never,
  changeSet: `sha256:${'2'.repeat(64)}` as never,
  tool: 'lorawan-ferry 0.0.0',
})

/** One device: of a hundred, two stay silent, one fails, one is left for later; the others are heard. */
const recordsOf = (number: number, all: number): readonly JournalRecord[] => {
  const device = `meter-${String(number).padStart(6, '0')}`
  const minutes = 1 + (number / all) * 300
  const wave = number < all / 10 ? 'canary' : number < all / 2 ? 'wave 1' : 'rest'
  const begin: JournalRecord = {
    t: 'begin',
    device,
    at: at(minutes),
    target: device,
    devEui: `70B3D57EF0${number.toString(16).toUpperCase().padStart(6, '0')}`,
    route: 'session-kept',
    wave,
  }
  const failed = { code: 'ServerError', message: `the target answered 500: ${HOSTILE}`, hint: 'run again' }
  const kind = number % 100
  if (kind === 3)
    return [
      begin,
      { t: 'outcome', device, step: 'set-network', at: at(minutes), status: 'failed', error: failed },
    ]
  if (kind === 4)
    return [
      begin,
      { t: 'undone', device, at: at(minutes) },
      {
        t: 'fact',
        device,
        fact: { name: 'deferred', at: at(minutes), code: 'QueueNotEmpty', message: 'its queue is not empty' },
      },
    ]
  const served: JournalRecord = {
    t: 'outcome',
    device,
    step: 'unmute-target',
    at: at(minutes + 1),
    status: 'done',
  }
  if (kind === 5 || kind === 6) return [begin, served]
  const heard = { name: 'heard', at: at(minutes + 20), devAddr: '27000001', lastFCntUp: number } as const
  return [begin, served, { t: 'fact', device, fact: heard }]
}

/** The page of a fleet of so many, two days after it was moved. */
export const pageOf = (devices: number): Promise<string> => {
  const records: readonly JournalRecord[] = [
    opened('7e0c6d5a-0000-4000-8000-000000000001', 'apply', 0),
    ...Array.from({ length: devices }, (_, number) => recordsOf(number, devices)).flat(),
    { t: 'close', run: '7e0c6d5a-0000-4000-8000-000000000001', at: at(330), result: 'partial' },
    opened('7e0c6d5a-0000-4000-8000-000000000002', 'verify', 400),
  ]
  const now = new Date(BEGAN + 2 * 24 * 60 * MINUTE)
  const progress = foldState(records)
  const history = takeHistory()
  for (const record of records) history.take(record)
  return renderHtml({
    name: 'building-a',
    source: {
      network: 'things-stack',
      host: 'a-source-with-a-long-name.example.org',
      application: 'building-a',
    },
    target: {
      network: 'things-stack',
      host: 'example.eu1.cloud.thethings.industries',
      application: 'building-a',
    },
    rows: statusRows(progress, { heardWithin: 24 * 60 * MINUTE, now }),
    history: history.historyOf(progress),
    now,
    tool: 'lorawan-ferry 0.0.0',
  })
}
