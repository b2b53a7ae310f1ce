import { decide, problems } from '../support.ts'

/** How policies decide that ask one matcher about one argument, such as `under: /srv` about `path`. */
export interface OneMatcher {
  /** Whether the only grant lets a call with this text through. */
  readonly allows: (matcher: string, text: string) => boolean
  /** Whether a guard stops a call with this text, which is allowed otherwise. */
  readonly denies: (matcher: string, text: string) => boolean
  /** What loading complains about. */
  readonly problems: (matcher: string) => readonly string[]
}

export function oneMatcher(argument: string): OneMatcher {
  const rule = (list: string, matcher: string): string =>
    `version: 1\n${list}:\n  - {capability: "x.y", args: {/${argument}: {${matcher}}}}\n`
  const given = (text: string): { readonly arguments: string } => ({
    arguments: JSON.stringify({ [argument]: text }),
  })
  return {
    allows: (matcher, text) => decide(rule('allow', matcher), given(text)) === 'allow',
    denies: (matcher, text) =>
      decide(`${rule('deny', matcher)}allow:\n  - capability: "*"\n`, given(text)) === 'deny',
    problems: (matcher) => problems(rule('deny', matcher)),
  }
}
