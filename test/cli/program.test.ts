import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { configJsonSchema } from '../../src/config/schema.ts'
import { capfence } from './capture.ts'

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string }

describe('help', () => {
  test('is an answer when asked for, and a complaint when a command is missing', async () => {
    const asked = await capfence(['--help'])
    expect(asked).toMatchObject({ code: 0, err: '' })
    const missing = await capfence([])
    expect(missing).toEqual({ code: 2, out: '', err: asked.out })
  })

  test.each(['--help', 'logs --help', 'approvals --help', 'budgets --help', 'policy --help'])(
    '%s',
    async (args) => {
      const { code, out } = await capfence(args.split(' '))
      expect(code).toBe(0)
      expect(out).toMatch(/^Examples:\n {2}capfence /)
      expect(out).toContain('\nUsage: capfence ')
    },
  )

  test('every command is listed', async () => {
    const { out } = await capfence(['--help'])
    for (const name of ['run', 'demo', 'logs', 'approvals', 'budgets', 'policy', 'config']) {
      expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
    }
  })

  test('the version is that of the package', async () => {
    expect(await capfence(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })
})

describe('what was typed wrongly is said in our words, with a way out, and exits with 2', () => {
  const cases: readonly (readonly [args: string, err: string])[] = [
    ['lgos', 'capfence: unknown command `lgos`\ncapfence: hint: did you mean `logs`?\n'],
    ['policy chek x', 'capfence: unknown command `chek`\ncapfence: hint: did you mean `check`?\n'],
    ['qqqqq', 'capfence: unknown command `qqqqq`\ncapfence: hint: see `capfence --help`\n'],
    [
      'logs --folow',
      'capfence: unknown option `--folow`\ncapfence: hint: did you mean `--follow`?\n',
    ],
    [
      'logs --since',
      'capfence: option `--since <time>` argument missing\ncapfence: hint: see `capfence --help`\n',
    ],
    [
      '-- run',
      'capfence: `run` must be the first word\ncapfence: hint: write `capfence run --config FILE --server NAME`\n',
    ],
    [
      'config check /nonexistent.json',
      'capfence: cannot read the configuration `/nonexistent.json`: there is no such file\ncapfence: hint: name it with `--config FILE`\n',
    ],
  ]
  test.each(cases)('%s', async (args, err) => {
    expect(await capfence(args.split(' '))).toEqual({ code: 2, out: '', err })
  })

  test('B30: also when what was typed is not harmless', async () => {
    const { err } = await capfence(['\u001B[2J\u202E'])
    expect(err).toContain(String.raw`unknown command ` + '`' + String.raw`\u{1b}[2J\u{202e}` + '`')
  })
})

describe('config', () => {
  const sample = new URL('../../capfence.mcp.json', import.meta.url).pathname

  test('the sample of the project is right', async () => {
    expect(await capfence(['config', 'check', sample])).toEqual({
      code: 0,
      out: `${sample}: 2 servers: files, ops\nthere is no lock, so a server may change what its tools say: \`capfence lock\` pins it\n`,
      err: '',
    })
    expect((await capfence(['policy', 'check', '--config', sample])).code).toBe(0)
  })

  const questions: readonly (readonly [
    server: string,
    tool: string,
    args: string,
    code: number,
  ])[] = [
    ['files', 'read_text_file', '{"path": "fixtures/workspace/notes.txt"}', 0],
    ['files', 'write_file', '{"path": "x", "content": "y"}', 1],
    ['files', 'move_file', '{"source": "x", "destination": "y"}', 1],
    ['ops', 'delete_path', '{"command": "rm -rf /var/lib/postgresql"}', 1],
    ['ops', 'execute_payment', '{"amount": 1000}', 0],
    ['ops', 'execute_payment', '{"amount": 1000.01}', 1],
  ]
  test.each(questions)('and its policy says of %s %s %s what it should', async (...question) => {
    const [server, tool, args, expected] = question
    const call = ['--server', server, '--tool', tool, '--arguments', args]
    const { code } = await capfence(['policy', 'explain', '--config', sample, ...call])
    expect(code).toBe(expected)
  })

  test('B25: problems are the answer of a check', async () => {
    const path = new URL('../../package.json', import.meta.url).pathname
    const { code, out, err } = await capfence(['config', 'check', path])
    expect({ code, err }).toEqual({ code: 1, err: '' })
    expect(out).toContain(`${path}:1:1: \`environment\` is missing\ncapfence: hint: say where`)
    expect(out).toContain(`${path}:2:3: unknown key \`name\``)
    const json = await capfence(['config', 'check', '--json', path])
    expect(JSON.parse(json.out)).toMatchObject({ schemaVersion: 1, type: 'check', ok: false })
  })

  test('the schema is that of the project', async () => {
    expect(await capfence(['config', 'schema'])).toEqual({
      code: 0,
      out: configJsonSchema(),
      err: '',
    })
  })
})
