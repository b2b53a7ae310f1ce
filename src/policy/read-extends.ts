import { readChecked } from './read-needles.ts'
import type { WrittenFault } from './read-needles.ts'
import type { Source } from './read-value.ts'
import type { YamlEntry } from './yaml.ts'

/** A file that another one extends, and where it says so. */
export interface ExtendedName {
  readonly name: string
  readonly offset: number
}

/** Reads `extends`: one file or a list of them, relative to the file that names them. */
export function readExtends(source: Source, entry: YamlEntry): readonly ExtendedName[] {
  const wanted = 'a file such as `base.yaml`, or a list of them'
  const names = readChecked(source, entry, { wanted, check: nameFault })
  const { value } = entry
  return (names ?? []).map((name, index) => {
    const node = value.kind === 'list' ? value.items[index] : value
    return { name, offset: node?.start ?? value.start }
  })
}

/** Refuses a name of a file that is not relative to the file that it stands in. */
export function nameFault(name: string): WrittenFault | undefined {
  if (/\p{C}/u.test(name) || name !== name.trim()) return { says: 'is no name of a file' }
  if (/^(?:[/\\]|[A-Za-z][A-Za-z0-9+.-]*:)/.test(name)) {
    return {
      says: 'is not relative to this file',
      hint: 'write it as `base.yaml` or `../base.yaml`',
    }
  }
  return undefined
}
