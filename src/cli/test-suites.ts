import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { readConfigFile } from '../config/file.ts'
import { didYouMean } from '../config/problems.ts'
import { CapFenceError } from '../errors.ts'
import { Bindings } from '../event/binding.ts'
import { printable } from '../event/printable.ts'
import type { Position } from '../policy/answer.ts'
import { proveInvariants } from '../policy/analysis/invariants.ts'
import type { InvariantProof } from '../policy/analysis/invariants.ts'
import { loadPolicy } from '../policy/load.ts'
import { parsersReady } from '../policy/parsers.ts'
import type { Policy } from '../policy/policy.ts'
import type { Problem } from '../policy/problem.ts'
import { nearestHint, PolicyError } from '../policy/problem.ts'
import type { PolicyRule } from '../policy/rule.ts'
import { eventOf, rulesWithoutCase, runCase } from '../policy/tests/run-case.ts'
import type { CaseResult, TestSetting } from '../policy/tests/run-case.ts'
import type { TestCase } from '../policy/tests/test-case.ts'
import { readTestFile, readTestsInside } from '../policy/tests/test-file.ts'
import { extendedBy, realPath } from './policy-files.ts'
import { readPolicySource } from './policy-source.ts'

/** A policy, made of one file or several, with all the tests of it. */
export interface TestSuite {
  /** Its files, as they are shown. */
  readonly name: string
  readonly policy: Policy
  readonly results: readonly CaseResult[]
  readonly proofs: readonly InvariantProof[]
  /** The rules that decided none of the tests. */
  readonly untested: readonly PolicyRule[]
}

/** What keeps tests from being run: where that is known, with its place. */
export interface TestFault {
  readonly position?: Position
  readonly message: string
  readonly code?: string
  readonly hint?: string
}

/** Runs the tests of files, or says everything that keeps them from being run. */
export async function runSuites(
  files: readonly string[],
  configFile: string | undefined,
): Promise<{ readonly suites: readonly TestSuite[]; readonly faults: readonly TestFault[] }> {
  const gathering = new Gathering(configFile)
  for (const file of files) gathering.tryTo(() => gathering.add(file))
  const loaded = [...gathering.plans.values()].flatMap(
    (plan) => gathering.tryTo(() => loadPlan(plan)) ?? [],
  )
  // Some parsers are made ready in their own time, and only when a rule asks for them.
  await parsersReady()
  const suites = loaded.flatMap((plan) => runPlan(plan, gathering) ?? [])
  return { suites, faults: gathering.faults }
}

/** Policies that are tested together, with one configuration. */
interface Plan {
  readonly policies: readonly string[]
  readonly config: Config | undefined
  readonly cases: TestCase[]
  /** A policy that was named, and has no tests in it or beside it; its invariants may be all there is to see to. */
  lacksTests: string | undefined
}

/** Finds the tests of each named file, and the policy of each test file. */
class Gathering {
  readonly plans = new Map<string, Plan>()
  readonly faults: TestFault[] = []
  readonly #configFile: string | undefined
  readonly #configs = new Map<string, Config>()
  readonly #seen = new Set<string>()

  constructor(configFile: string | undefined) {
    this.#configFile = configFile
  }

  /** Runs something, and keeps what the world does not let it do. */
  tryTo<T>(attempt: () => T): T | undefined {
    try {
      return attempt()
    } catch (error) {
      if (!(error instanceof CapFenceError)) throw error
      if (error instanceof PolicyError) for (const problem of error.problems) this.#once(problem)
      else this.faults.push(errorFault(error))
      return undefined
    }
  }

  add(file: string): void {
    if (isTestFile(file)) this.#addTestFile(file)
    else this.#addPolicy(file)
  }

  #addPolicy(file: string): void {
    const source = readPolicySource(file)
    const { cases, problems } = readTestsInside(source)
    const beside = testFilesOf(file).filter(existsSync)
    if (this.#isNew(file)) {
      // What is wrong with these tests the loader of the policy says.
      const plan = this.#plan([file], this.#config(undefined, file))
      plan.cases.push(...cases)
      if (beside.length === 0 && problems.length === 0) plan.lacksTests = source.path
    }
    for (const path of beside) this.#addTestFile(path)
  }

  /** Says that there is nothing to be run, which must not look like tests that passed. */
  refuseUntested(path: string): void {
    this.#refuse(`there are no tests of ${path}`, {
      hint: `write them into ${testFilesOf(path)[0] ?? ''}, or under \`tests:\` in the policy`,
    })
  }

  #addTestFile(file: string): void {
    const source = readPolicySource(file)
    if (!this.#isNew(file)) return
    const { policies, config, cases, problems } = readTestFile(source)
    this.faults.push(...problems)
    const named = policies.map((name) => resolve(dirname(file), name))
    const beside = policiesOf(file).filter(existsSync)
    if (named.length === 0 && beside.length === 0) {
      this.#refuse(`there is no policy beside ${source.path}`, {
        hint: 'name it in the file: `policy: ../policies/ops.yaml`',
      })
      return
    }
    const tested = named.length > 0 ? named : beside.slice(0, 1)
    this.#plan(tested, this.#config(config, file)).cases.push(...cases)
  }

  #plan(policies: readonly string[], config: Config | undefined): Plan {
    const key = [...policies.map(realPath), config?.file ?? ''].join('\0')
    const plan = this.plans.get(key) ?? { policies, config, cases: [], lacksTests: undefined }
    this.plans.set(key, plan)
    return plan
  }

  #config(named: string | undefined, file: string): Config | undefined {
    const path = named === undefined ? this.#configFile : resolve(dirname(file), named)
    if (path === undefined) return undefined
    const config = this.#configs.get(path) ?? readConfigFile(path)
    this.#configs.set(path, config)
    return config
  }

  #isNew(file: string): boolean {
    const path = realPath(file)
    const isNew = !this.#seen.has(path)
    this.#seen.add(path)
    return isNew
  }

  /** A policy that two test files are about has its problems once. */
  #once(problem: Problem): void {
    const { file, line, column } = problem.position
    const key = `${file}:${line}:${column}:${problem.message}`
    if (!this.#seen.has(key)) this.faults.push(problem)
    this.#seen.add(key)
  }

  #refuse(message: string, { hint }: { readonly hint: string }): void {
    this.faults.push({ message, hint })
  }
}

function errorFault({ message, hint }: CapFenceError): TestFault {
  return hint === undefined ? { message } : { message, hint }
}

const testName = /\.test\.(ya?ml)$/

/** Whether a file is named as files of tests are: `x.test.yaml` holds the tests of `x.yaml`. */
export function isTestFile(file: string): boolean {
  return testName.test(file)
}

function testFilesOf(policy: string): readonly string[] {
  const stem = policy.replace(/\.(?:ya?ml|json)$/, '')
  return [`${stem}.test.yaml`, `${stem}.test.yml`]
}

function policiesOf(testFile: string): readonly string[] {
  const stem = testFile.replace(testName, '')
  return [`${stem}.yaml`, `${stem}.yml`]
}

interface LoadedPlan extends Plan {
  readonly name: string
  readonly policy: Policy
}

function loadPlan(plan: Plan): LoadedPlan {
  const sources = plan.policies.map(readPolicySource)
  const policy = loadPolicy(sources, extendedBy(readPolicySource))
  return { ...plan, name: sources.map(({ path }) => path).join(', '), policy }
}

function runPlan(
  { name, policy, config, cases, lacksTests }: LoadedPlan,
  gathering: Gathering,
): TestSuite | undefined {
  if (cases.length === 0 && policy.invariants.length === 0) {
    if (lacksTests !== undefined) gathering.refuseUntested(lacksTests)
    return undefined
  }
  const ids = new Set(policy.rules.map(({ id }) => id))
  const faults = cases.flatMap((test) => [
    ...unknownServer(test, config),
    ...unknownRules(test, ids),
    ...unknownState(test, policy),
  ])
  gathering.faults.push(...faults)
  const setting = settingOf(config)
  const results = cases.flatMap((test) => {
    const event = tryEvent(test, setting)
    if (!('message' in event)) return [runCase(policy, test, event)]
    gathering.faults.push(event)
    return []
  })
  const proofs = proveInvariants(policy)
  return { name, policy, results, proofs, untested: rulesWithoutCase(policy, results) }
}

/** Without a configuration nobody has said what tools mean, so that a call is `<server>.<tool>.<environment>`. */
function settingOf(config: Config | undefined): TestSetting {
  if (config === undefined) {
    return { bindings: new Bindings(), actor: 'agent', environment: undefined }
  }
  return {
    bindings: new Bindings(config.servers.map(({ name, binding }) => [name, binding])),
    actor: config.actor,
    environment: config.environment,
  }
}

function tryEvent(test: TestCase, setting: TestSetting): ReturnType<typeof eventOf> | TestFault {
  try {
    return eventOf(test, setting)
  } catch (error) {
    if (!(error instanceof CapFenceError)) throw error
    const { message, hint } = errorFault(error)
    const fault = { position: test.position, message: `\`${printable(test.name)}\`: ${message}` }
    return hint === undefined ? fault : { ...fault, hint }
  }
}

function unknownServer(
  { asked, position }: TestCase,
  config: Config | undefined,
): readonly TestFault[] {
  if (asked.kind === 'event' || config === undefined) return []
  const known = [...config.servers.map(({ name }) => name), ...config.disabledServers]
  if (known.includes(asked.server)) return []
  const message = `there is no server \`${printable(asked.server)}\` in ${config.file}`
  return [
    { position, message, hint: didYouMean(asked.server, known) ?? `it has: ${known.join(', ')}` },
  ]
}

/** Of what nothing in the policy is about, a test would say nothing, and seem to. */
function unknownState({ state, position }: TestCase, policy: Policy): readonly TestFault[] {
  if (state === undefined) return []
  const limits = new Set(policy.limits.map(({ name }) => name))
  const used = unknownNames([...state.used.keys()], limits, 'limit')
  const labels = state.labels.map(({ name }) => name)
  const held = unknownNames(labels, policy.labelNames, 'label')
  return [...used, ...held].map((fault) => ({ position, code: 'policy-id', ...fault }))
}

function unknownNames(
  names: readonly string[],
  known: ReadonlySet<string>,
  what: string,
): readonly { readonly message: string; readonly hint?: string }[] {
  return names
    .filter((name) => !known.has(name))
    .map((name) => {
      const hint = nearestHint(name, known)
      const message = `the policy has no ${what} \`${printable(name)}\``
      return hint === undefined ? { message } : { message, hint }
    })
}

function unknownRules({ expected }: TestCase, known: ReadonlySet<string>): readonly TestFault[] {
  return expected.rules
    .filter(({ id }) => !known.has(id))
    .map(({ id, position }): TestFault => {
      const hint = nearestHint(id, known)
      const message = `the policy has no rule \`${printable(id)}\``
      const fault = { position, message, code: 'policy-id' }
      return hint === undefined ? fault : { ...fault, hint }
    })
}
