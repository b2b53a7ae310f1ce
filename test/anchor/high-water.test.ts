import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { HighWaterFile } from '../../src/anchor/high-water.ts'

function newFile(): HighWaterFile {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-high-water-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = new HighWaterFile(join(folder, 'log.db.highwater'))
  onTestFinished(() => file.close())
  return file
}

const note = (size: number): string =>
  `capfence.local/x\n${size}\nroot\n\n— capfence.local/x signature\n`

describe('a high-water file', () => {
  test('gives back the note, which stands at its start as it is', () => {
    const file = newFile()
    file.make(note(7))
    expect(file.read()).toBe(note(7))
    expect(readFileSync(file.path, 'utf8').startsWith(note(7))).toBe(true)
  })

  test('law: after any notes, long and short, it holds the last one and nothing of the others', () => {
    const file = newFile()
    file.make(note(0))
    const line = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1000 })
    const notes = fc.array(line.map((text) => `x${text.trim()}\n`))
    fc.assert(
      fc.property(notes, (all) => {
        for (const one of all) file.raise(one)
        expect(file.read()).toBe(all.at(-1) ?? file.read())
        expect(statSync(file.path).size).toBe(1024)
      }),
      { seed: 4, numRuns: 200 },
    )
  })

  test('is for this user alone, whatever the umask', () => {
    const umask = process.umask(0)
    onTestFinished(() => void process.umask(umask))
    const file = newFile()
    file.make(note(1))
    expect(statSync(file.path).mode & 0o777).toBe(0o600)
  })

  test('that is not there is not made by reading or writing in place', () => {
    const file = newFile()
    expect(file.read()).toBeUndefined()
    expect(() => file.raise(note(1))).toThrow('ENOENT')
    expect(existsSync(file.path)).toBe(false)
  })

  test('of whatever size is read in bounds', () => {
    const file = newFile()
    writeFileSync(file.path, 'x'.repeat(5_000_000))
    expect(file.read()?.length).toBe(1025)
  })

  test('that is no file is an error at once', () => {
    const folder = newFile()
    mkdirSync(folder.path)
    expect(() => folder.read()).toThrow('EISDIR')
    const pipe = newFile()
    spawnSync('sh', ['-c', 'mkfifo "$0"', pipe.path])
    expect(() => pipe.read()).toThrow('ESPIPE')
  })
})
