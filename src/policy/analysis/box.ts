import type { ClaimAtom } from './claim.ts'

/** An atom of a claim that is taken to be so, or not. */
export interface Assumption {
  readonly atom: ClaimAtom
  readonly holds: boolean
}

/** Some calls: those of which assumptions are so. A box never changes; adding makes another one. */
export class Box {
  readonly #byAttribute: ReadonlyMap<string, readonly Assumption[]>

  constructor(byAttribute: ReadonlyMap<string, readonly Assumption[]> = new Map()) {
    this.#byAttribute = byAttribute
  }

  of(attribute: string): readonly Assumption[] {
    return this.#byAttribute.get(attribute) ?? []
  }

  /** All that is assumed of one attribute, for each that something is assumed of. */
  get groups(): Iterable<readonly Assumption[]> {
    return this.#byAttribute.values()
  }

  /** What is known of an atom; undefined when nothing is. */
  knows({ key, attribute }: ClaimAtom): boolean | undefined {
    return this.of(attribute.key).find(({ atom }) => atom.key === key)?.holds
  }

  with(assumption: Assumption): Box {
    const { key } = assumption.atom.attribute
    return new Box(new Map([...this.#byAttribute, [key, [...this.of(key), assumption]]]))
  }
}
