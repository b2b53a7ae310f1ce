import type { Finding } from './finding.ts'
import { fileOfModule } from './modules.ts'
import type { FileFacts } from './read-file.ts'

/**
 * The findings of all files in their order, without tools that others find in their file and that each of those gives to the
 * gate, and to nobody else. A tool that no file takes stays a finding: nobody has gated it.
 */
export function withoutGatedElsewhere(facts: ReadonlyMap<string, FileFacts>): readonly Finding[] {
  const names = new Set(facts.keys())
  const users = new Map<string, { readonly name: string; readonly isGated: boolean }[]>()
  for (const [file, { uses }] of facts) {
    for (const { module, name, isGated } of uses) {
      const from = fileOfModule(file, module, names)
      if (from !== undefined) users.set(from, [...(users.get(from) ?? []), { name, isGated }])
    }
  }
  return [...facts.keys()]
    .toSorted()
    .flatMap((file) =>
      (facts.get(file)?.findings ?? []).flatMap(({ exportedAs, ...finding }) =>
        isGatedBy(users.get(file) ?? [], exportedAs) ? [] : [finding],
      ),
    )
}

function isGatedBy(
  users: readonly { readonly name: string; readonly isGated: boolean }[],
  names: readonly string[],
): boolean {
  const concerned = users.filter(({ name }) => name === '*' || names.includes(name))
  return names.length > 0 && concerned.length > 0 && concerned.every(({ isGated }) => isGated)
}
