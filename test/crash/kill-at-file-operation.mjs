// Ends the process at its n-th operation on a file that changes something, before it or after it: loaded into the command
// with `node --import`. FERRY_CRASH_FILE_OPERATION=n:before|after; or n:ENOSPC, EROFS (it and all after it fail), EIO (it
// fails). How many there were is written to FERRY_CRASH_COUNT when the process ends.
import { writeFileSync } from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const [at = '', when = 'before'] = (process.env.FERRY_CRASH_FILE_OPERATION ?? '').split(':')
const countFile = process.env.FERRY_CRASH_COUNT
let operations = 0

const FREE = ['rename', 'unlink', 'rm', 'chmod', 'truncate']

const die = () => process.kill(process.pid, 'SIGKILL')
// Nothing may happen between the signal and the end.
const never = () => new Promise(() => undefined)

const fails = () => (when === 'EIO' ? operations === Number(at) : /^E/.test(when) && operations >= Number(at))

const counted = (effect, name) =>
  async function operate(...given) {
    operations += 1
    // A full disk still takes removals and new names.
    if (fails() && !(when === 'ENOSPC' && FREE.includes(name)))
      throw Object.assign(new Error(`${when}: made up, ${name}`), { code: when, syscall: name })
    const isIt = operations === Number(at) && (when === 'before' || when === 'after')
    if (isIt && when === 'before') {
      die()
      return never()
    }
    const result = await effect.apply(this, given)
    if (!isIt) return result
    die()
    return never()
  }

const probe = await promises.open(process.execPath, 'r')
const handle = Object.getPrototypeOf(probe)
await probe.close()
for (const name of ['write', 'writev', 'writeFile', 'appendFile', 'sync', 'datasync', 'truncate'])
  handle[name] = counted(handle[name], name)
for (const name of [
  'rename',
  'unlink',
  'rm',
  'mkdir',
  'link',
  'chmod',
  'writeFile',
  'appendFile',
  'copyFile',
])
  promises[name] = counted(promises[name], name)
syncBuiltinESMExports()

if (countFile !== undefined) process.on('exit', () => writeFileSync(countFile, String(operations)))
