import { limits } from '../limits.ts'
import type { LabelsCondition } from './condition.ts'
import type { Pointer } from './pointer.ts'
import { readChecked } from './read-needles.ts'
import { readPointerValue } from './read-pointer.ts'
import { unknownKey, wrongType } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { YamlEntry } from './yaml.ts'

/**
 * What `session` holds when it is about labels.
 *
 * @internal Exported for tests only.
 */
export const sessionKeys: readonly string[] = ['has', 'not', 'bind']

/** Names of labels, one or a list; undefined after saying everything that is wrong. */
export function readLabelNames(source: Source, entry: YamlEntry): readonly string[] | undefined {
  const names = readChecked(source, entry, {
    wanted: 'the name of a label, or a list of them',
    check: (name) =>
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)
        ? undefined
        : {
            says: 'can be no label; expected up to 64 of `A-Z a-z 0-9 . _ -`, a letter or digit first',
          },
  })
  if (names === undefined || names.length <= limits.maxLabels) return names
  source.report.add({
    offset: entry.value.start,
    code: 'policy-limit',
    message: `\`${entry.key}\` has ${names.length} labels; at most ${limits.maxLabels} are read`,
  })
  return undefined
}

/** Reads `session` with the labels that it must have and must not have. */
export function readSession(source: Source, entry: YamlEntry): LabelsCondition | undefined {
  const { value } = entry
  if (value.kind !== 'map' || value.entries.length === 0) {
    source.report.add(wrongType(entry, 'a mapping such as `{has: [untrusted]}`'))
    return undefined
  }
  let [has, not]: (readonly string[] | undefined)[] = [[], []]
  let bind: Pointer | undefined
  let sound = true
  for (const part of value.entries) {
    if (part.key === 'has') has = readLabelNames(source, part)
    else if (part.key === 'not') not = readLabelNames(source, part)
    else if (part.key === 'bind') {
      bind = readPointerValue(source, part, 'one')
      sound &&= bind !== undefined
    } else {
      source.report.add(unknownKey(part, '`session`', sessionKeys))
      sound = false
    }
  }
  if (!sound || has === undefined || not === undefined) return undefined
  if (has.length + not.length > 0) return { kind: 'labels', has, not, bind }
  source.report.add({
    offset: value.start,
    code: 'policy-empty',
    message: '`session` has neither `has` nor `not`',
    hint: 'write `session: {has: [untrusted]}`',
  })
  return undefined
}
