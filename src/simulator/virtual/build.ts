import { cryptPayload, dataMic, uplinkMic11 } from '../radio/crypto.ts'
import { dataRateIndex } from '../radio/data-rates.ts'
import { buildDataFrame } from '../radio/frames.ts'
import type { SampleSession } from '../sample/types.ts'
import type { State } from './state.ts'
import type { UplinkOptions, VirtualDeviceOptions } from './types.ts'

const optionsLimit = 15

/** What stands in FOpts: indications of LoRaWAN 1.1, then as many answers as fit. */
const clearOptions = (state: State): Buffer => {
  const commands = [
    ...(state.rekeying ? [Buffer.from([11, 1])] : []),
    ...(state.indicating ? [Buffer.from([32, 2])] : []),
    ...state.answers,
  ]
  return Buffer.concat(
    commands.filter((_, index) => Buffer.concat(commands.slice(0, index + 1)).length <= optionsLimit),
  )
}

/** A data uplink with its integrity code. */
export const buildUplink = (
  options: VirtualDeviceOptions,
  state: State,
  session: SampleSession,
  fCnt: number,
  frequency: number,
  { confirmed = false, payload = Buffer.from([1]), fPort = 1 }: UplinkOptions,
): Buffer => {
  const is11 = options.lorawanVersion === 'MAC_V1_1'
  const { devAddr, keys } = session
  const clear = clearOptions(state)
  const message = buildDataFrame({
    confirmed,
    up: true,
    devAddr,
    adr: true,
    adrAckReq: false,
    ack: state.acknowledge,
    bit4: options.deviceClass === 'B',
    fCnt,
    fOpts: is11 ? cryptPayload(keys.nwkSEncKey, 0, devAddr, fCnt, clear, 1) : clear,
    fPort,
    frmPayload: cryptPayload(keys.appSKey, 0, devAddr, fCnt, payload),
  })
  const input = { devAddr, fCnt, message }
  const mic = is11
    ? uplinkMic11(keys, {
        ...input,
        confirmed: state.acknowledge ? state.lastConfirmedDown : 0,
        dataRate: dataRateIndex(options.frequencyPlan, options.dataRate) ?? 0,
        channel: Math.max(0, state.channels.indexOf(frequency)),
      })
    : dataMic(keys.fNwkSIntKey, { ...input, direction: 0 })
  return Buffer.concat([message, mic])
}
