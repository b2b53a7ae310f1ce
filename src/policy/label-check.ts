import type { Position } from './answer.ts'
import type { Condition, LabelsCondition } from './condition.ts'
import type { LabelSource } from './label.ts'
import { nearestHint } from './problem.ts'
import type { Problem } from './problem.ts'
import type { RuleSource } from './rule.ts'

/** A test of labels, and where the rule stands that makes it. */
interface LabelTest {
  readonly condition: LabelsCondition
  readonly position: Position
}

/** Refuses tests of labels that no call ever adds: a rule that is silently dead is a control that somebody believes in. */
export function labelProblems(
  rules: readonly RuleSource[],
  labels: readonly LabelSource[],
): readonly Problem[] {
  const known = new Set(labels.flatMap(({ adds }) => adds))
  const bound = new Set(labels.flatMap(({ adds, bind }) => (bind === undefined ? [] : adds)))
  return testsOf(rules, labels).flatMap(({ condition: { has, not, bind }, position }) => {
    const unknown = [...has, ...not].find((name) => !known.has(name))
    if (unknown !== undefined) return [unknownLabel(unknown, known, position)]
    if (bind === undefined || [...has, ...not].some((name) => bound.has(name))) return []
    return [unboundLabels(position)]
  })
}

/** Says which labels are added and never tested. */
export function labelNotes(
  rules: readonly RuleSource[],
  labels: readonly LabelSource[],
): readonly Problem[] {
  const tested = new Set(
    testsOf(rules, labels).flatMap(({ condition: { has, not } }) => [...has, ...not]),
  )
  return labels.flatMap(({ adds, position }) =>
    adds
      .filter((name) => !tested.has(name))
      .map((name) => ({
        position,
        code: 'policy-note',
        message: `no rule asks for the label \`${name}\``,
        hint: `write \`session: {has: [${name}]}\` in a rule`,
      })),
  )
}

function testsOf(rules: readonly RuleSource[], labels: readonly LabelSource[]): LabelTest[] {
  const tests: LabelTest[] = []
  for (const { conditions, rule } of rules) addTests(conditions, rule.position, tests)
  for (const { conditions, position } of labels) addTests(conditions, position, tests)
  return tests
}

function addTests(conditions: readonly Condition[], position: Position, tests: LabelTest[]): void {
  for (const one of conditions) {
    for (const condition of labelConditions(one)) tests.push({ condition, position })
  }
}

const noTests: readonly LabelsCondition[] = []

function labelConditions(condition: Condition): readonly LabelsCondition[] {
  if (condition.kind === 'labels') return [condition]
  if (condition.kind === 'not') return condition.conditions.flatMap(labelConditions)
  return condition.kind === 'any' ? condition.branches.flat().flatMap(labelConditions) : noTests
}

function unknownLabel(name: string, known: ReadonlySet<string>, position: Position): Problem {
  const hint = nearestHint(name, known) ?? `write \`labels: [{capability: …, adds: ${name}}]\``
  return { position, code: 'policy-value', message: `nothing adds the label \`${name}\``, hint }
}

function unboundLabels(position: Position): Problem {
  return {
    position,
    code: 'policy-value',
    message: '`bind` in `session` names labels that are about no value',
    hint: 'give the item of `labels` a `bind` too, or leave it out here',
  }
}
