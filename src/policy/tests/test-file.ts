import { limits } from '../../limits.ts'
import type { PolicySource } from '../load-files.ts'
import type { Problem } from '../problem.ts'
import { nameFault } from '../read-extends.ts'
import { readChecked } from '../read-needles.ts'
import { readVersion } from '../read-policy.ts'
import { readWords } from '../read-rule.ts'
import { nodeKind, unknownKey, wrongType } from '../read-value.ts'
import type { Source } from '../read-value.ts'
import { Report } from '../report.ts'
import { readYaml } from '../yaml.ts'
import type { YamlEntry, YamlNode } from '../yaml.ts'
import { readDefaults } from './read-asked.ts'
import { readCases } from './read-cases.ts'
import type { TestCase } from './test-case.ts'

/**
 * What a test file holds at its top.
 *
 * @internal Exported for tests only.
 */
export const testFileKeys: readonly string[] = [
  'version',
  'description',
  'policy',
  'config',
  'defaults',
  'tests',
]

/** What a file says of tests, and what is wrong with it. */
export interface TestFile {
  /** The policies that are tested, relative to the file; none when it does not name any. */
  readonly policies: readonly string[]
  /** The configuration whose bindings say what calls mean, relative to the file. */
  readonly config: string | undefined
  readonly cases: readonly TestCase[]
  readonly problems: readonly Problem[]
}

/** Reads a file of tests. */
export function readTestFile({ path, text }: PolicySource): TestFile {
  return withRoot({ path, text }, (source, root) => {
    if (root.kind === 'map') return readTop(source, root)
    source.report.add({
      offset: root.start,
      code: 'policy-type',
      message: `a test file is ${nodeKind(root)}; expected a mapping`,
      hint: 'write `tests:` and the tests below it',
    })
    return nothing
  })
}

/** Reads the tests that stand inside a policy; what else is wrong with the policy is for its loader to say. */
export function readTestsInside({ path, text }: PolicySource): TestFile {
  return withRoot({ path, text }, (source, root) => {
    const tests = root.kind === 'map' ? root.entries.find(({ key }) => key === 'tests') : undefined
    return tests === undefined ? nothing : { ...nothing, cases: readCases(source, tests) }
  })
}

type Read = Omit<TestFile, 'problems'>

const nothing: Read = { policies: [], config: undefined, cases: [] }

function withRoot(
  { path, text }: PolicySource,
  read: (source: Source, root: YamlNode) => Read,
): TestFile {
  const bytes = Buffer.byteLength(text)
  if (bytes > limits.maxPolicyBytes) {
    const report = new Report(path, () => ({ line: 1, column: 1 }))
    const message = `the file has ${bytes} bytes; at most ${limits.maxPolicyBytes} are read`
    report.add({ offset: 0, code: 'policy-limit', message })
    return { ...nothing, problems: report.problems() }
  }
  const { root, faults, broken, lineAndColumn } = readYaml(text)
  const report = new Report(path, lineAndColumn)
  for (const fault of faults) report.add(fault)
  if (root === undefined && !broken) {
    report.add({ offset: 0, code: 'policy-empty', message: 'the file holds no tests' })
  }
  const file = broken || root === undefined ? nothing : read({ text, report }, root)
  return { ...file, problems: report.problems() }
}

function readTop(source: Source, root: YamlNode & { readonly kind: 'map' }): Read {
  const { entries } = root
  const find = (name: string): YamlEntry | undefined => entries.find(({ key }) => key === name)
  for (const entry of entries) readHead(source, entry)
  const [policy, config, defaults, tests] = [
    find('policy'),
    find('config'),
    find('defaults'),
    find('tests'),
  ]
  if (tests === undefined) {
    source.report.add({
      offset: root.start,
      code: 'policy-empty',
      message: 'the file has no `tests`',
      hint: 'a test is `- {name: …, event: {capability: …}, expect: deny}`',
    })
  }
  const context = defaults === undefined ? {} : readDefaults(source, defaults)
  return {
    policies: policy === undefined ? [] : readFiles(source, policy, 'a policy, or a list of them'),
    config: config === undefined ? undefined : readFile(source, config),
    cases: tests === undefined ? [] : readCases(source, tests, context),
  }
}

function readHead(source: Source, entry: YamlEntry): void {
  if (entry.key === 'version') readVersion(source, entry)
  else if (entry.key === 'description') readWords(source, entry)
  else if (!testFileKeys.includes(entry.key)) {
    source.report.add(unknownKey(entry, 'a test file', testFileKeys))
  }
}

function readFile(source: Source, entry: YamlEntry): string | undefined {
  const wanted = 'a configuration such as `capfence.mcp.json`'
  if (entry.value.kind !== 'list') return readFiles(source, entry, wanted)[0]
  source.report.add(wrongType(entry, wanted))
  return undefined
}

function readFiles(source: Source, entry: YamlEntry, wanted: string): readonly string[] {
  return readChecked(source, entry, { wanted, check: nameFault }) ?? []
}
