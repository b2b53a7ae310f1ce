import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readConfigFile } from '../../src/config/file.ts'

const folder = mkdtempSync(join(tmpdir(), 'capfence-config-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string, text: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const text = '{"environment": "dev", "policies": ["p.yaml"], "mcpServers": {}}'

test('a file is read, with or without a byte order mark', () => {
  const plain = readConfigFile(file('plain.json', text))
  const marked = readConfigFile(file('marked.json', `\uFEFF${text}`))
  expect(plain.policies).toEqual([join(folder, 'p.yaml')])
  expect({ ...marked, file: plain.file, text: plain.text }).toEqual(plain)
  // The log has the hash of the file as it is.
  expect(marked.text).toBe(`\uFEFF${text}`)
})

describe('what cannot be read is said to be so', () => {
  const cases: readonly (readonly [path: string, code: string, message: string])[] = [
    [join(folder, 'none.json'), 'CONFIG_NOT_FOUND', 'there is no such file'],
    [folder, 'CONFIG_NOT_FOUND', 'it is a folder'],
    [file('binary.json', Uint8Array.of(0x7b, 0xff, 0x7d)), 'CONFIG_INVALID', 'is not UTF-8 text'],
    [file('utf16.json', Buffer.from(text, 'utf16le')), 'CONFIG_INVALID', ':1:2: '],
  ]
  test.each(cases)('%s', (path, code, message) => {
    try {
      readConfigFile(path)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code })
      expect(String(error)).toContain(message)
    }
  })
})
