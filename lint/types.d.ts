import type { RuleTester } from 'oxlint/plugins-dev'

/** A rule as the linter takes it; the linter's own package exports these types only through its tester. */
export type Rule = Parameters<RuleTester['run']>[1]

/** What the linter hands to a rule for one file. */
export type Context = Parameters<NonNullable<Rule['create']>>[0]

/** One function per kind of syntax node. */
export type Visitor = ReturnType<NonNullable<Rule['create']>>

/** Any syntax node. */
export type Node = NonNullable<ReturnType<Context['sourceCode']['getNodeByRangeIndex']>>

/** The outermost scope of a file. */
export type GlobalScope = Context['sourceCode']['scopeManager']['globalScope']

/** One use of a name; the linter's types leave out that it tells values from types. */
export type Reference = NonNullable<GlobalScope>['through'][number] & {
  readonly isValueReference?: boolean
}

/** A top-level statement of a file. */
export type Statement = Context['sourceCode']['ast']['body'][number]

/** One name of an import, `a` or `* as a`. */
export type ImportSpecifier = Extract<
  Statement,
  { type: 'ImportDeclaration' }
>['specifiers'][number]

/** One name of a list of exports. */
export type ExportSpecifier = Extract<
  Statement,
  { type: 'ExportNamedDeclaration' }
>['specifiers'][number]
