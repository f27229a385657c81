// Runs `whole.cjs` beside it with the compiled code that an earlier run left; FERRY_CRASH_COMPILE=1 leaves it.
const { readFileSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { Script, constants } = require('node:vm')

const filename = join(__dirname, 'whole.cjs')
const cache = join(__dirname, 'whole.cache')
const isFirst = process.env.FERRY_CRASH_COMPILE === '1'

const text = readFileSync(filename, 'utf8').replace(/^#!.*/, '')
const script = new Script(`(function (exports, require, module, __filename, __dirname) {${text}\n})`, {
  filename,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  ...(isFirst ? {} : { cachedData: readFileSync(cache) }),
})
if (script.cachedDataRejected === true) throw new Error('the compiled code is of another version of Node')
if (isFirst) process.on('exit', () => writeFileSync(cache, script.createCachedData()))
const bundle = { exports: {} }
script.runInThisContext()(bundle.exports, require, bundle, filename, __dirname)
