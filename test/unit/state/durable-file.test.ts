import { readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFile, removeLeftovers, replaceFile, syncFolder } from '../../../src/state/durable-file.ts'
import { failureOf, failWith, type Operation, temporaryFolder, watchedFiles } from './support.ts'

const OLD = Buffer.from('old content')
const NEW = Buffer.from('new content, which is longer')

const oldFile = async (): Promise<string> => {
  const file = join(await temporaryFolder(), 'file.json')
  await writeFile(file, OLD)
  return file
}

test('a file is synced before it takes its name, and its folder after', async () => {
  const file = await oldFile()
  const folder = join(file, '..')
  const done: string[] = []
  const fs = watchedFiles({
    after: (operation, path) => done.push(path === folder ? `${operation} folder` : operation),
  })
  await replaceFile(file, NEW, { fs })
  expect(done).toEqual(['open', 'write', 'sync', 'rename', 'open folder', 'sync folder'])
  done.length = 0
  expect(await createFile(`${file}.2`, NEW, { fs })).toBe('created')
  expect(done).toEqual(['open', 'write', 'sync', 'link', 'unlink', 'open folder', 'sync folder'])
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await stat(`${file}.2`)).mode & 0o777).toBe(0o600)
})

test('a failure or a kill at any operation leaves the old content or the new', async () => {
  for (const operations of [1, 2, 3, 4, 5, 6]) {
    for (const how of ['fails', 'killed'] as const) {
      const file = await oldFile()
      let count = 0
      const fs = watchedFiles({
        before: () => {
          count += 1
          // After a kill nothing happens any more: no clearing up either.
          if (how === 'killed' ? count >= operations : count === operations) throw failWith('EIO')
          return undefined
        },
      })
      expect(await failureOf(() => replaceFile(file, NEW, { fs }))).toBe('state-not-written FileNotWritten')
      const content = await readFile(file)
      expect(content).toEqual(operations <= 4 ? OLD : NEW)
      if (how === 'fails') expect(await readdir(join(file, '..'))).toEqual(['file.json'])
      await removeLeftovers(join(file, '..'), 'file.json')
      expect(await readdir(join(file, '..'))).toEqual(['file.json'])
    }
  }
})

test('a disk that takes only a part, or gives back something else, changes nothing', async () => {
  for (let room = 0; room < NEW.length; room += 5) {
    const file = await oldFile()
    const fs = watchedFiles({ before: (operation) => (operation === 'write' ? room : undefined) })
    expect(await failureOf(() => replaceFile(file, NEW, { fs, code: 'StateNotWritten' }))).toBe(
      'state-not-written StateNotWritten',
    )
    expect(await readFile(file)).toEqual(OLD)
  }
  const file = await oldFile()
  const fs = { ...watchedFiles({}), readFile: (async () => Buffer.from('else')) as never }
  expect(await failureOf(() => replaceFile(file, NEW, { fs }))).toBe('state-not-written FileNotWritten')
  expect(await failureOf(() => createFile(`${file}.2`, NEW, { fs }))).toBe('state-not-written FileNotWritten')
  expect(await readFile(file)).toEqual(OLD)
  expect(await readdir(join(file, '..'))).toEqual(['file.json'])
})

test.each<Operation | 'none'>(['none', 'link'])(
  'a file that exists is never created over (%s fails)',
  async (failing) => {
    const file = await oldFile()
    const fs = watchedFiles({
      before: (operation) => {
        if (operation === failing) throw failWith('ENOTSUP')
        return undefined
      },
    })
    expect(await createFile(file, NEW, { fs })).toBe('exists')
    expect(await readFile(file)).toEqual(OLD)
    expect(await createFile(`${file}.2`, NEW, { fs })).toBe('created')
    expect(await readFile(`${file}.2`)).toEqual(NEW)
    expect((await readdir(join(file, '..'))).sort()).toEqual(['file.json', 'file.json.2'])
  },
)

test('a link to a file stays a link, and what it points to is replaced', async () => {
  const file = await oldFile()
  const link = `${file}.link`
  await symlink(file, link)
  await replaceFile(link, NEW)
  expect(await readlink(link)).toBe(file)
  expect(await readFile(file)).toEqual(NEW)
})

test('leftovers of other files stay', async () => {
  const file = await oldFile()
  const folder = join(file, '..')
  const others = ['.file.json.2.0123456789ab.tmp', '.file.json.0123.tmp', 'file.json.0123456789ab.tmp']
  for (const name of ['.file.json.0123456789ab.tmp', ...others]) await writeFile(join(folder, name), '')
  await removeLeftovers(folder, 'file.json')
  expect((await readdir(folder)).sort()).toEqual([...others, 'file.json'].sort())
  await removeLeftovers(join(folder, 'none'), 'file.json')
})

test('a folder that can not be synced on this system is let be, a disk error is not', async () => {
  const folder = await temporaryFolder()
  const failing = (code: string) =>
    watchedFiles({
      before: (operation) => {
        if (operation === 'sync') throw failWith(code)
        return undefined
      },
    })
  await syncFolder(folder, failing('EINVAL'))
  await expect(syncFolder(folder, failing('EIO'))).rejects.toMatchObject({ code: 'EIO' })
})

test('the error names the file and says in words what the system said', async () => {
  const file = join(await temporaryFolder(), 'none', 'file.json')
  await expect(replaceFile(file, NEW)).rejects.toMatchObject({
    kind: 'state-not-written',
    message: `can't write ${file}: no such file or folder (ENOENT)`,
  })
})
