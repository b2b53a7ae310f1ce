import { homedir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { projectFiles, type ProjectFile } from '../support/files.ts'
import { root } from '../support/root.ts'

/** A house rule that the linter cannot state: what no line may say, in which files. */
interface HouseRule {
  readonly name: string
  readonly files: readonly ProjectFile[]
  /** The part of a line that breaks the rule. */
  readonly breaks: RegExp
  /** A line that breaks it and one that does not, so that the rule itself can be seen to work. */
  readonly broken: string
  readonly kept: string
}

const everything = projectFiles()
const code = projectFiles('src', 'test', 'lint', 'scripts', 'bench', 'fixtures')
const product = projectFiles('src', 'lint', 'scripts', 'bench', 'fixtures', 'policies', 'schemas')
const sources = projectFiles('src')
const tests = projectFiles('test')

// The forbidden words are put together here, so that this file does not contain them.
const mark = (...parts: readonly string[]): string => parts.join('')

const rules: readonly HouseRule[] = [
  {
    name: 'nothing is left to do',
    files: everything.filter(({ path }) => path !== 'package-lock.json'),
    breaks: /\b(?:TO[D]O|FIX[M]E|X[X]X|HAC[K])\b/,
    broken: mark('// TO', 'DO: later'),
    kept: 'mkdtemp("capfence-XXXXXX"), todoList',
  },
  {
    name: 'no file knows a package registry',
    files: everything,
    breaks: /\bregistry\.(?:npmjs|yarnpkg)\.|https?:\/\/(?:registry|npm)\.|"resolved":\s*"http/,
    broken: mark('"res', 'olved": "https://reg', 'istry.npmjs.org/x.tgz"'),
    kept: '"funding": "https://github.com/sponsors/x", the registry of tools',
  },
  {
    name: 'no program has a fixed path into a home or scratch folder',
    files: [...product, ...projectFiles().filter(({ path }) => path === 'capfence.mcp.json')],
    breaks: /['"`](?:\/(?:home|Users|root|work|tmp|mnt)\/|[A-Z]:\\\\Users)/,
    broken: mark("readFileSync('/ho", "me/me/x')"),
    kept: "join(tmpdir(), 'x'), '/etc/claude-code/managed-mcp.json', '~/.cursor/mcp.json'",
  },
  {
    name: 'every test runs',
    files: tests,
    breaks:
      /\b(?:test|it|describe|bench|suite|context|ctx|task)(?:\.\w+)*\.(?:skip|only|todo|fails)\s*\(|\bx(?:it|test|describe)\s*\(/,
    broken: mark('test.concurrent.sk', "ip('x', ...)"),
    kept: "test.skipIf(requireOrSkip('strace', false))('x', ...), cursor.skip(1)",
  },
  {
    name: 'no complaint is silenced for a whole file, without a rule or without a reason',
    files: code.filter(({ path }) => path !== 'test/house/tidy.test.ts'),
    breaks: /(?:oxlint|eslint)-disable(?!-(?:next-)?line [\w/-]+ -- \S+ \S)/,
    broken: '// oxlint-disable-next-line no-console',
    kept: '// oxlint-disable-next-line no-console -- the terminal is what this is about',
  },
  {
    name: 'no complaint of our own rules is silenced',
    files: code.filter(({ path }) => path !== 'test/house/tidy.test.ts'),
    breaks: /(?:oxlint|eslint)-disable\S* .*capfence\//,
    broken: '// oxlint-disable-next-line capfence/pure-room -- it is only a clock',
    kept: '// oxlint-disable-next-line no-console -- capfence prints here',
  },
  {
    name: 'no type error is silenced',
    files: [...sources, ...projectFiles('lint', 'scripts', 'bench', 'fixtures')],
    breaks: /@ts-(?:ignore|expect-error|nocheck)/,
    broken: mark('// @ts-', 'ignore'),
    kept: '// @ts-check',
  },
  ...absolutePaths().map((path): HouseRule => ({
    name: 'no file knows where it lay when it was written',
    files: everything,
    breaks: new RegExp(`${path.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}(?![\\w-])`),
    broken: `cd ${path}/src`,
    kept: `cd ${path}s`,
  })),
]

describe('house rules', () => {
  test('there are files to look at', () => {
    expect(everything.length).toBeGreaterThan(40)
    for (const { name, files } of rules) expect(files.length, name).toBeGreaterThan(0)
  })

  test.each(rules)('$name', ({ files, breaks }) => {
    const broken = files.flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) => (breaks.test(line) ? [`${path}:${index + 1}: ${line}`] : [])),
    )
    expect(broken).toEqual([])
  })

  test.each(rules)('$name: the rule finds what it is for', ({ breaks, broken, kept }) => {
    expect(breaks.test(broken)).toBe(true)
    expect(breaks.test(kept)).toBe(false)
  })
})

/**
 * Paths of this machine that can be told from an example in a text: the project's own folder and the home of whoever
 * runs this, unless they are as short as `/app` or `/root`.
 */
function absolutePaths(): readonly string[] {
  return [root, homedir()].filter((path) => path.split('/').length > 2)
}
