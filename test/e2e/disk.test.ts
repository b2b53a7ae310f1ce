import { mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { capfence } from '../cli/capture.ts'
import { journalCalls } from './gate.ts'
import type { GateFiles, Wire } from './gate.ts'
import { rawGates } from './raw-gates.ts'

const { files, client } = rawGates()

/** A workspace with links in it and beside it, before a gate whose server shares the disk, or is not said to. */
function laidOut(block: object, policyOf: (workspace: string) => string): GateFiles {
  const laid = files()
  const folder = realpathSync(laid.folder)
  for (const name of ['workspace', 'outside']) mkdirSync(join(folder, name))
  writeFileSync(join(folder, 'outside', 'secret.txt'), 'secret')
  writeFileSync(join(folder, 'workspace', 'notes.txt'), 'notes')
  symlinkSync(join(folder, 'outside'), join(folder, 'workspace', 'leak'))
  symlinkSync(join(folder, 'outside', 'new.txt'), join(folder, 'workspace', 'dangling'))
  symlinkSync(join(folder, 'workspace'), join(folder, 'entrance'))
  const config = JSON.parse(readFileSync(laid.config, 'utf8')) as {
    mcpServers: { raw: Record<string, unknown> }
  }
  config.mcpServers.raw['capfence'] = block
  config.mcpServers.raw['cwd'] = join(folder, 'workspace')
  writeFileSync(laid.config, JSON.stringify(config))
  writeFileSync(laid.policy, policyOf(folder))
  return { ...laid, folder }
}

const isBlocked = ({ result }: Wire): boolean => result?.['isError'] === true

const below = (folder: string): string =>
  `allow: [{id: inside, capability: raw, args: {/path: {under: ${folder}/workspace}}}]\n`

async function answers(laid: GateFiles, paths: readonly string[]): Promise<readonly boolean[]> {
  const gate = client(laid)
  await gate.initialize()
  const blocked: boolean[] = []
  for (const path of paths) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, so that the log has them in this order
    blocked.push(isBlocked(await gate.call('echo', { path })))
  }
  await gate.close()
  return blocked
}

describe('B19: a link that leads out of the workspace', () => {
  test('is not followed by a grant, whatever lies behind it', async () => {
    const laid = laidOut({ sharesDisk: true }, below)
    // As they are written: `join` would take `..` out.
    const at = (name: string): string => `${laid.folder}/${name}`
    const inside = ['workspace/notes.txt', 'workspace/new/deep/file.txt', 'workspace'].map(at)
    const outside = [
      ...['workspace/leak', 'workspace/leak/secret.txt', 'workspace/leak/none/yet.txt'].map(at),
      // Writing there would make the file outside.
      ...['workspace/dangling', 'workspace/leak/../../workspace/notes.txt'].map(at),
      ...['outside/secret.txt', 'workspace/notes.txt/below'].map(at),
    ]
    expect(await answers(laid, [...inside, ...outside])).toEqual([
      ...inside.map(() => false),
      ...outside.map(() => true),
    ])
    const reached = journalCalls(laid, 'raw').map(
      ({ params = {} }) => (params['arguments'] as { readonly path: string }).path,
    )
    expect(reached).toEqual(inside)
  })

  test('is one only where the disk is said to be shared', async () => {
    const laid = laidOut({}, below)
    expect(await answers(laid, [join(laid.folder, 'workspace/leak/secret.txt')])).toEqual([false])
  })

  test('is seen by a guard on where it leads, also from a relative path and without a pointer', async () => {
    const laid = laidOut(
      { sharesDisk: true },
      (folder) => `deny:
  - {id: out, capability: raw, path_prefix: ${folder}/outside}
allow:
  - {id: rest, capability: raw, args: {/path: {under: .}}}
`,
    )
    const paths = ['leak/secret.txt', 'dangling']
    expect(await answers(laid, paths)).toEqual([true, true])
    const named = laidOut(
      { sharesDisk: true },
      (folder) => `deny:
  - {id: out, capability: raw, args: {/path: {under: ${folder}/outside}}}
allow: [raw]
`,
    )
    const absolute = ['workspace/leak/secret.txt', 'workspace/notes.txt']
    expect(
      await answers(
        named,
        absolute.map((one) => join(named.folder, one)),
      ),
    ).toEqual([true, false])
  })

  test('a relative path begins where the server stands', async () => {
    const laid = laidOut(
      { sharesDisk: true },
      () => 'allow: [{id: here, capability: raw, args: {/path: {under: .}}}]\n',
    )
    const paths = ['notes.txt', 'new/file.txt', 'leak/secret.txt', '../outside/secret.txt']
    expect(await answers(laid, paths)).toEqual([false, false, true, true])
  })

  test('a folder of a rule may be reached by a link itself', async () => {
    const laid = laidOut(
      { sharesDisk: true },
      (folder) =>
        `allow: [{id: in, capability: raw, args: {/path: {under: ${folder}/entrance}}}]\n`,
    )
    const paths = ['entrance/notes.txt', 'entrance/leak/secret.txt'].map((one) =>
      join(laid.folder, one),
    )
    expect(await answers(laid, paths)).toEqual([false, true])
  })

  test('is followed by an explanation of a call that is not made yet', async () => {
    const laid = laidOut({ sharesDisk: true }, below)
    const explain = async (path: string): Promise<number> => {
      const call = ['--server', 'raw', '--tool', 'echo', '--args', JSON.stringify({ path })]
      return (await capfence(['policy', 'explain', '--config', laid.config, ...call])).code
    }
    expect(await explain(`${laid.folder}/workspace/notes.txt`)).toBe(0)
    expect(await explain(`${laid.folder}/workspace/leak/secret.txt`)).toBe(1)
  })

  test('why it was refused is known from the log, also when the disk is another by now', async () => {
    const laid = laidOut({ sharesDisk: true }, below)
    const leak = join(laid.folder, 'workspace/leak')
    expect(
      await answers(laid, [join(leak, 'secret.txt'), join(laid.folder, 'workspace/notes.txt')]),
    ).toEqual([true, false])
    rmSync(leak)
    mkdirSync(leak)
    const list = await capfence(['logs', '--config', laid.config, '--json'])
    const seqs = list.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly seq: number; readonly type: string })
      .map(({ seq }) => seq)
    const explained = await Promise.all(
      seqs.map((seq) =>
        capfence(['policy', 'explain', '--config', laid.config, '--seq', String(seq), '--json']),
      ),
    )
    const said = explained
      .filter(({ out }) => out !== '')
      .map(
        ({ out }) =>
          JSON.parse(out) as {
            decision: string
            rules: { value: string }[]
            today: { decision: string }
          },
      )
    expect(
      said.map(({ decision, rules, today }) => [decision, rules[0]?.value, today.decision]),
    ).toEqual([
      ['deny', 'false', 'deny'],
      ['allow', 'true', 'allow'],
    ])
  })
})
