import { isMessage, type Message } from '../json/types.ts'
import { emptyDevice, type V2Device } from './device.ts'
import { notValid, unreadable, V2Error } from './errors.ts'

const SNAKE: Readonly<Record<string, string>> = {
  appId: 'app_id',
  devId: 'dev_id',
  lorawanDevice: 'lorawan_device',
  appEui: 'app_eui',
  devEui: 'dev_eui',
  devAddr: 'dev_addr',
  nwkSKey: 'nwk_s_key',
  appSKey: 'app_s_key',
  appKey: 'app_key',
  fCntUp: 'f_cnt_up',
  fCntDown: 'f_cnt_down',
  disableFCntCheck: 'disable_f_cnt_check',
  uses32BitFCnt: 'uses32_bit_f_cnt',
  activationConstraints: 'activation_constraints',
}

const snake = (message: Message): Message =>
  Object.fromEntries(Object.entries(message).map(([name, value]) => [SNAKE[name] ?? name, value]))

/** Hexadecimal digits of so many bytes; undefined where it is left out or null. */
const hex = (message: Message, name: string, size: number): string | undefined => {
  const value = message[name]
  if (value === undefined || value === null) return undefined
  const text = String(value)
  const wrong = /[^0-9a-fA-F]/.exec(text)?.[0]
  if (wrong !== undefined) {
    const point = (wrong.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    throw unreadable(`encoding/hex: invalid byte: U+${point} '${wrong}'`)
  }
  if (text.length !== 0 && text.length !== size * 2) throw unreadable('wrong input length')
  return text.toUpperCase()
}

const uint32 = (message: Message, name: string): number => {
  const value = message[name] ?? 0
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0 || number > 0xffffffff)
    throw unreadable(`json: cannot unmarshal number ${String(value)} into Go value of type uint32`)
  return number
}

const text = (message: Message, name: string): string => String(message[name] ?? '')
const decimal = (message: Message, name: string): number => Math.fround(Number(message[name] ?? 0))

/** A device that is written: what a write keeps of it where it leaves something out is undefined. */
export interface WrittenDevice {
  readonly inner: { readonly appId: string; readonly devId: string } | undefined
  readonly device: V2Device
  readonly keeps: readonly (keyof V2Device)[]
}

/** Reads a body. Throws 400 for what can not be read; whether it is valid is another question. */
export const readDevice = (body: Message, appId: string, devId: string | undefined): WrittenDevice => {
  const outer = snake(body)
  const id = devId ?? text(outer, 'dev_id')
  const lorawan = outer['lorawan_device']
  const inner = isMessage(lorawan) ? snake(lorawan) : undefined
  const given = inner ?? {}
  const keys = {
    appKey: hex(given, 'app_key', 16),
    nwkSKey: hex(given, 'nwk_s_key', 16),
    appSKey: hex(given, 'app_s_key', 16),
    devAddr: hex(given, 'dev_addr', 4),
  }
  const attributes = outer['attributes']
  return {
    inner: inner === undefined ? undefined : { appId: text(inner, 'app_id'), devId: text(inner, 'dev_id') },
    keeps: (Object.keys(keys) as (keyof typeof keys)[]).filter((name) => keys[name] === undefined),
    device: {
      ...emptyDevice(appId, id),
      description: text(outer, 'description'),
      latitude: decimal(outer, 'latitude'),
      longitude: decimal(outer, 'longitude'),
      altitude: Number(outer['altitude'] ?? 0),
      attributes: isMessage(attributes)
        ? Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]))
        : {},
      appEui: hex(given, 'app_eui', 8) ?? '',
      devEui: hex(given, 'dev_eui', 8) ?? '',
      appKey: keys.appKey ?? '',
      nwkSKey: keys.nwkSKey ?? '',
      appSKey: keys.appSKey ?? '',
      devAddr: keys.devAddr ?? '',
      fCntUp: uint32(given, 'f_cnt_up'),
      fCntDown: uint32(given, 'f_cnt_down'),
      disableFCntCheck: given['disable_f_cnt_check'] === true,
      uses32BitFCnt: given['uses32_bit_f_cnt'] === true,
      activationConstraints: text(given, 'activation_constraints') || 'local',
    },
  }
}

const WRONG_FORMAT =
  'has wrong format. IDs can contain lowercase letters, numbers, dashes and underscores and should have a maximum length of 36'

/** 2 to 36 lower-case letters and digits, single dashes or underscores between them; only the former are counted. */
const isId = (id: string): boolean =>
  /^[0-9a-z](?:[_-]?[0-9a-z])*$/.test(id) && /^.{2,36}$/.test(id.replace(/[_-]/g, ''))

export const checkDeviceId = (id: string, what = 'Invalid Device Identifier: '): void => {
  if (!isId(id)) throw notValid(`${what}DevID`, WRONG_FORMAT)
}

/** What a device that is written has to have. */
export const checkWritten = ({ inner, device }: WrittenDevice): void => {
  if (inner === undefined) throw notValid('Invalid Device: Device', 'can not be empty')
  checkDeviceId(device.devId, 'Invalid Device: ')
  const invalid = 'Invalid Device: Invalid Device: Invalid LoRaWANDevice: '
  if (inner.appId === '') throw notValid(`${invalid}AppID`, 'can not be empty')
  if (inner.devId === '') throw notValid(`${invalid}DevID`, 'can not be empty')
  if (!isId(inner.devId)) throw notValid(`${invalid}DevID`, WRONG_FORMAT)
}

const BUILTIN = ['ttn-brand', 'ttn-model', 'ttn-version', 'ttn-antenna', 'ttn-module-type']
const LONGEST = 64

/** The handler's own limits, which it looks at after the network server has taken the device. */
export const checkAttributes = ({ attributes }: V2Device): void => {
  const free = Object.keys(attributes).filter((name) => !BUILTIN.includes(name))
  if (free.length > 5) throw new V2Error('Maximum number of custom attributes (5) exceeded')
  for (const [name, value] of Object.entries(attributes))
    if (name.length > LONGEST || value.length > LONGEST)
      throw new V2Error(`Attribute "${name.slice(0, LONGEST)}" exceeds maximum length (${LONGEST})`)
}
