/** A statement about a call, made of atoms of some kind; negation stands at the atoms only. */
export type Formula<Atom> =
  | { readonly kind: 'atom'; readonly atom: Atom; readonly holds: boolean }
  | { readonly kind: 'all'; readonly parts: readonly Formula<Atom>[] }
  | { readonly kind: 'any'; readonly parts: readonly Formula<Atom>[] }

/** An atom that holds. */
export function atom<Atom>(one: Atom): Formula<Atom> {
  return { kind: 'atom', atom: one, holds: true }
}

/** All of the parts; without any it holds. */
export function all<Atom>(parts: readonly Formula<Atom>[]): Formula<Atom> {
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'all', parts }
}

/** One of the parts at least; without any it never holds. */
export function any<Atom>(parts: readonly Formula<Atom>[]): Formula<Atom> {
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'any', parts }
}

/** A statement that always holds, or never does. */
export function constant<Atom>(holds: boolean): Formula<Atom> {
  return holds ? all<Atom>([]) : any<Atom>([])
}

/** The opposite. */
export function negate<Atom>(formula: Formula<Atom>): Formula<Atom> {
  switch (formula.kind) {
    case 'atom':
      return { ...formula, holds: !formula.holds }
    case 'all':
      return { kind: 'any', parts: formula.parts.map(negate) }
    case 'any':
      return { kind: 'all', parts: formula.parts.map(negate) }
  }
}

/** The formula with other formulas in place of its atoms, each as it holds or does not hold there. */
export function replaceLiterals<From, To>(
  formula: Formula<From>,
  by: (one: From, holds: boolean) => Formula<To>,
): Formula<To> {
  if (formula.kind === 'atom') return by(formula.atom, formula.holds)
  return { kind: formula.kind, parts: formula.parts.map((part) => replaceLiterals(part, by)) }
}

/** The formula with other formulas in place of its atoms. */
export function replaceAtoms<From, To>(
  formula: Formula<From>,
  by: (one: From) => Formula<To>,
): Formula<To> {
  return replaceLiterals(formula, (one, holds) => (holds ? by(one) : negate(by(one))))
}

/** Every atom of a formula, as often as it stands there. */
export function atomsOf<Atom>(formula: Formula<Atom>): readonly Atom[] {
  return formula.kind === 'atom' ? [formula.atom] : formula.parts.flatMap(atomsOf)
}

/**
 * Whether a formula can hold, where each atom can be true, can be false, or both.
 *
 * An atom that can be both may be each in different places, so that the answer is never too narrow.
 */
export function canHold<Atom>(
  formula: Formula<Atom>,
  can: (one: Atom, holds: boolean) => boolean,
): boolean {
  switch (formula.kind) {
    case 'atom':
      return can(formula.atom, formula.holds)
    case 'all':
      return formula.parts.every((part) => canHold(part, can))
    case 'any':
      return formula.parts.some((part) => canHold(part, can))
  }
}
