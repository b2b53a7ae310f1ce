/**
 * Code in the form in which the scanner reads it, whatever language it was written in: only what it takes to follow a name
 * to where it comes from, and a tool to what it does.
 */
export type Code =
  | NameCode
  | MemberCode
  | CallCode
  | ObjectCode
  | ListCode
  | TextCode
  | FlagCode
  | ChoiceCode
  | FunctionCode
  | ClassCode
  | BlockCode
  | DeclareCode
  | AssignCode
  | ImportCode
  | ExportCode
  | ReturnCode
  | OtherCode

/** Where code stands, in UTF-16 code units. */
export interface At {
  readonly start: number
  readonly end: number
}

/** A use of a name. */
export interface NameCode extends At {
  readonly kind: 'name'
  readonly name: string
}

/** A part of something: `a.b`, `a['b']`. */
export interface MemberCode extends At {
  readonly kind: 'member'
  readonly object: Code
  readonly name: string
}

/** An argument of a call. */
export interface Argument {
  /** The name it is given by; undefined when it is given by its place. */
  readonly name: string | undefined
  readonly value: Code
  /** Whether it stands for several: `...x`, `*x`, `**x`. */
  readonly isSpread: boolean
}

/** A call, or the making of an instance. */
export interface CallCode extends At {
  readonly kind: 'call'
  readonly callee: Code
  readonly args: readonly Argument[]
  /** Whether its result is looked at; a question whose answer is dropped decides nothing. */
  readonly isUsed: boolean
}

/** An object literal, or a dictionary. */
export interface ObjectCode extends At {
  readonly kind: 'object'
  readonly entries: readonly { readonly name: string; readonly value: Code }[]
  /** What else it holds: other objects, and entries whose names are computed. */
  readonly rest: readonly Code[]
}

/** A list literal. */
export interface ListCode extends At {
  readonly kind: 'list'
  readonly items: readonly Code[]
}

/** A text that is known. */
export interface TextCode extends At {
  readonly kind: 'text'
  readonly value: string
}

/** A number or truth value that is known. */
export interface FlagCode extends At {
  readonly kind: 'flag'
  readonly value: boolean | number | null
}

/** One of several: `a ?? b`, `a ? b : c`. */
export interface ChoiceCode extends At {
  readonly kind: 'choice'
  /** What is looked at to choose; it is no answer itself. */
  readonly test: Code | undefined
  readonly options: readonly Code[]
}

/** A parameter that has a name of its own, or a name that is taken out of one. */
export interface Parameter extends At {
  readonly name: string
  /** Which argument it is, from 0; undefined when it is taken out of one. */
  readonly place: number | undefined
  readonly type: Code | undefined
  readonly initial: Code | undefined
}

/** A function, method or closure. */
export interface FunctionCode extends At {
  readonly kind: 'function'
  readonly name: string | undefined
  readonly parameters: readonly Parameter[]
  readonly body: readonly Code[]
  readonly decorators: readonly Code[]
}

/** A method or field of a class. */
export interface ClassMember extends At {
  readonly name: string
  readonly value: Code | undefined
  readonly type: Code | undefined
}

/** A class. */
export interface ClassCode extends At {
  readonly kind: 'class'
  readonly name: string | undefined
  readonly bases: readonly Code[]
  readonly members: readonly ClassMember[]
  readonly decorators: readonly Code[]
  /** Code in it that makes no member. */
  readonly rest: readonly Code[]
}

/** Statements whose names are seen only inside. */
export interface BlockCode extends At {
  readonly kind: 'block'
  readonly parts: readonly Code[]
}

/** A name that is made known. */
export interface DeclareCode extends At {
  readonly kind: 'declare'
  readonly name: string
  readonly value: Code | undefined
  readonly type: Code | undefined
  /** Whether it is known in the whole function, not only in its block. */
  readonly isHoisted: boolean
  readonly isExported: boolean
}

/** A value that is given to something that is there already. */
export interface AssignCode extends At {
  readonly kind: 'assign'
  readonly target: Code
  readonly value: Code
}

/** A name that comes from another module. */
export interface ImportCode extends At {
  readonly kind: 'import'
  /** What it is called here; undefined for everything, under the names that it has there. */
  readonly local: string | undefined
  readonly module: string
  /** What it is called there; undefined for the module itself. */
  readonly name: string | undefined
}

/** A name under which others find something. */
export interface ExportCode extends At {
  readonly kind: 'export'
  /** Undefined for everything, under the names that it has there. */
  readonly name: string | undefined
  readonly value: Code
}

/** The answer of a function. */
export interface ReturnCode extends At {
  readonly kind: 'return'
  readonly value: Code
}

/** Anything else. */
export interface OtherCode extends At {
  readonly kind: 'other'
  readonly parts: readonly Code[]
}

/** A file of code. */
export interface CodeFile {
  readonly parts: readonly Code[]
  readonly remarks: readonly {
    readonly start: number
    readonly end: number
    readonly text: string
  }[]
  /** What its parser could not read; undefined when all was read. */
  readonly broken: { readonly at: number; readonly why: string } | undefined
}

/** The parts of a piece of code, in their order. */
export function partsOf(code: Code): readonly Code[] {
  switch (code.kind) {
    case 'name':
    case 'text':
    case 'flag':
    case 'import':
      return []
    case 'member':
      return [code.object]
    case 'call':
      return [code.callee, ...code.args.map(({ value }) => value)]
    case 'object':
      return [...code.entries.map(({ value }) => value), ...code.rest]
    case 'list':
      return code.items
    case 'choice':
      return [...known(code.test), ...code.options]
    case 'function':
      return [
        ...code.decorators,
        ...code.parameters.flatMap(({ type, initial }) => [...known(type), ...known(initial)]),
        ...code.body,
      ]
    case 'class':
      return [
        ...code.decorators,
        ...code.bases,
        ...code.members.flatMap(({ value, type }) => [...known(value), ...known(type)]),
        ...code.rest,
      ]
    case 'declare':
      return [...known(code.type), ...known(code.value)]
    case 'assign':
      return [code.target, code.value]
    case 'export':
    case 'return':
      return [code.value]
    case 'block':
    case 'other':
      return code.parts
    default:
      return code satisfies never
  }
}

function known(code: Code | undefined): readonly Code[] {
  return code === undefined ? [] : [code]
}
