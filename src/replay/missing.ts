import { looksSecret } from '../audit/secret-names.ts'
import { parsePointer } from '../policy/pointer.ts'
import type { MissingArguments } from '../policy/unknown.ts'

/**
 * Which names the arguments may have of which not even the names are kept: `none` when there are no such arguments,
 * `secret` when they were left out because their names look like those of secrets.
 */
export type Unnamed = 'none' | 'secret' | 'any'

/**
 * What of the arguments of a call nobody has kept.
 *
 * @param places JSON Pointers to values that are missing
 */
export function missingArguments(places: readonly string[], unnamed: Unnamed): MissingArguments {
  if (places.length === 0 && unnamed === 'none') return nothingMissing
  return {
    places: places.map((place) => (parsePointer(place)?.tokens ?? []).map((token) => token ?? '*')),
    mayBeNamed: namedBy[unnamed],
  }
}

/** Of arguments that are all there. */
export const nothingMissing: MissingArguments = { places: [], mayBeNamed: undefined }

const namedBy: Readonly<Record<Unnamed, MissingArguments['mayBeNamed']>> = {
  none: undefined,
  secret: looksSecret,
  any: () => true,
}
