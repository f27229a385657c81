import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** As much of DER as a certificate needs. */
const tlv = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents)
  const length =
    content.length < 128
      ? Buffer.from([content.length])
      : Buffer.from([0x82, content.length >> 8, content.length & 0xff])
  return Buffer.concat([Buffer.from([tag]), length, content])
}
const sequence = (...contents: readonly Uint8Array[]) => tlv(0x30, ...contents)
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'))
const utf8 = (text: string) => tlv(0x0c, Buffer.from(text))
const time = (text: string) => tlv(0x18, Buffer.from(text))

const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'))
const COMMON_NAME = oid('550403')
const BASIC_CONSTRAINTS = oid('551d13')
const ALTERNATIVE_NAMES = oid('551d11')
const TRUE = Buffer.from([0x01, 0x01, 0xff])

const nameOf = (text: string) => sequence(tlv(0x31, sequence(COMMON_NAME, utf8(text))))

export interface Authority {
  readonly pem: string
  readonly key: KeyObject
  readonly name: string
}

const pemOf = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`

const certificate = (options: {
  readonly subject: string
  readonly issuer: string
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly extension: Buffer
  readonly serial: number
  readonly until: string
}): string => {
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.from([options.serial])),
    ECDSA_SHA256,
    nameOf(options.issuer),
    sequence(time('20200101000000Z'), time(options.until)),
    nameOf(options.subject),
    options.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(options.extension)),
  )
  const signature = sign('sha256', body, options.signer)
  return pemOf(sequence(body, ECDSA_SHA256, tlv(0x03, Buffer.from([0]), signature)))
}

/** A certificate authority that lives as long as the test. */
export const createAuthority = (name: string): Authority => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const extension = sequence(BASIC_CONSTRAINTS, TRUE, tlv(0x04, sequence(TRUE)))
  const until = '21000101000000Z'
  const common = { subject: name, issuer: name, serial: 1, until, extension }
  return { name, key: privateKey, pem: certificate({ ...common, publicKey, signer: privateKey }) }
}

/** A server's certificate, for 127.0.0.1 or a host name, signed by the authority. */
export const issue = (
  authority: Authority,
  host: '127.0.0.1' | string,
  until = '21000101000000Z',
): { readonly cert: string; readonly key: string } => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name =
    host === '127.0.0.1' ? tlv(0x87, Buffer.from([127, 0, 0, 1])) : tlv(0x82, Buffer.from(host, 'ascii'))
  const cert = certificate({
    subject: 'server',
    issuer: authority.name,
    serial: 2,
    until,
    publicKey,
    signer: authority.key,
    extension: sequence(ALTERNATIVE_NAMES, tlv(0x04, sequence(name))),
  })
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}
