/** What the handler's gateway makes of almost every failure: status 500 with code 2 (V2 notes, section 5). */
export class V2Error extends Error {
  readonly status: number
  readonly code: number

  constructor(message: string, status = 500, code = 2) {
    super(message)
    this.name = 'V2Error'
    this.status = status
    this.code = code
  }
}

/** JSON or hexadecimal digits that can not be read. */
export const unreadable = (message: string): V2Error => new V2Error(message, 400, 3)
export const notFound = (what: string): V2Error => new V2Error(`${what} not found`)
export const notValid = (what: string, why: string): V2Error => new V2Error(`${what} not valid: ${why}`)
export const denied = (why: string): V2Error => new V2Error(`permission denied: ${why}`)
export const noRights = (right: string, application: string): V2Error =>
  denied(`No "${right}" rights to Application "${application}"`)

/** As `net/http` answers by itself. */
export const plainText = (status: number, text: string) => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  body: `${text}\n`,
})
