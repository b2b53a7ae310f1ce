import { existsSync } from 'node:fs'
import { defaultConfigPath, readConfigFile } from '../config/file.ts'
import type { PolicyRule } from '../policy/rule.ts'
import type { LogFact } from './page-facts.ts'
import { pageLine } from './page-line.ts'
import type { PlaceFlags } from './places.ts'
import { loadPolicyFiles } from './policy-files.ts'

/**
 * The rules of the configuration's policy with how often each decided a call of late, as one JSON text.
 *
 * Rules that decided and are there no more are named too: a policy that was changed a moment ago explains itself so.
 */
export function pageRules(flags: PlaceFlags, facts: readonly LogFact[], hasOlder: boolean): string {
  const counts = new Map<string, number>()
  const hits = facts.flatMap((fact) => (fact.kind === 'decision' ? fact.rules : []))
  for (const { id, file } of hits)
    counts.set(keyOf(id, file), (counts.get(keyOf(id, file)) ?? 0) + 1)
  const rules = rulesOf(flags)
  const listed = (rules ?? []).map((rule) => ({
    id: rule.id,
    effect: rule.effect,
    capability: rule.capability,
    file: rule.position.file,
    line: rule.position.line,
    predicates: rule.predicates,
    description: rule.description ?? rule.message ?? null,
    approval: rule.approval ?? null,
    hits: counts.get(keyOf(rule.id, rule.position.file)) ?? 0,
    isGone: false,
  }))
  const known = new Set(listed.map(({ id, file }) => keyOf(id, file)))
  const gone = [...new Map(hits.map((hit) => [keyOf(hit.id, hit.file), hit]))]
    .filter(([key]) => !known.has(key))
    .map(([key, { id, effect, file, line }]) => ({
      ...{ id, effect, capability: null, file, line, predicates: [], description: null },
      ...{ approval: null, hits: counts.get(key) ?? 0, isGone: rules !== undefined },
    }))
  const byDefault = facts.filter((fact) => fact.kind === 'decision' && fact.reason === 'default')
  return pageLine('rules', {
    isPartial: hasOlder,
    isPolicyKnown: rules !== undefined,
    byDefault: byDefault.length,
    rules: [...listed, ...gone],
  })
}

/** Undefined where only the log was named, which may come from anywhere. */
function rulesOf({ config, storage }: PlaceFlags): readonly PolicyRule[] | undefined {
  if (config === undefined && (storage !== undefined || !existsSync(defaultConfigPath))) {
    return undefined
  }
  const { policies, folder } = readConfigFile(config ?? defaultConfigPath)
  return loadPolicyFiles(policies, folder).rules
}

function keyOf(id: string, file: string): string {
  return JSON.stringify([id, file])
}
