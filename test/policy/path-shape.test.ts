import { describe, expect, test } from 'vitest'
import { decide } from './support.ts'
import type { Call } from './support.ts'

const grant = 'allow: [{capability: fs, path_prefix: /srv/ws}]'
const guard = 'deny: [{capability: fs, path_prefix: /etc}]\nallow: [fs]'
/** A call with a harmless path, and another value under `name`. */
const beside = (name: string, value: unknown): Call => ({
  capability: 'fs.write.ws',
  arguments: JSON.stringify({ path: '/srv/ws/a', [name]: value }),
})

/** Names that no list of path names would hold. */
const names = ['output', 'out', 'log', 'save_as', 'where', 'x']

describe('B19, B22: a text that is rooted like a path is a path, whatever its name', () => {
  test.each(names)('`%s` beside a harmless `path` escapes neither grant nor guard', (name) => {
    expect(decide(grant, beside(name, '/etc/passwd'))).toBe('deny')
    expect(decide(guard, beside(name, '/etc/passwd'))).toBe('deny')
    expect(decide(grant, beside(name, '/srv/ws/b'))).toBe('allow')
  })

  test.each([
    '/etc/passwd',
    '  /etc/passwd',
    '/etc/passwd\n',
    '/etc/my file',
    '../../etc/passwd',
    'a/../../etc',
    '..',
    './../../etc',
    '~/.ssh/id_rsa',
    '~root/x',
    'file:///etc/passwd',
    'FILE:/etc/passwd',
    '\\\\host\\share',
    'C:\\Windows',
  ])('%j is rooted', (text) => {
    expect(decide(grant, beside('output', text))).toBe('deny')
  })

  test('deep inside and in lists too', () => {
    expect(decide(grant, beside('opts', { more: [{ out: '/etc/x' }] }))).toBe('deny')
    expect(decide(guard, beside('args', ['-o', '/etc/x']))).toBe('deny')
  })

  test.each(['hello', 'a/b', '~5 minutes', '*.ts', 'https://example.org/etc', '1/2', '...', ''])(
    '%j is not',
    (text) => {
      expect(decide(grant, beside('note', text))).toBe('allow')
    },
  )

  test.each([
    ['content', '// a comment'],
    ['newText', '/* style */'],
    ['body', '/etc is a folder'],
    ['pattern', '/^a/'],
    ['commit_message', '../ is gone'],
  ])('what `%s` holds is prose and no path', (name, text) => {
    expect(decide(grant, beside(name, text))).toBe('allow')
  })

  test('a path’s name makes a path of prose', () => {
    expect(decide(grant, beside('content_path', '/etc/x'))).toBe('deny')
  })
})
