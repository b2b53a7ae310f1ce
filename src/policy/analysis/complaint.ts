/** What is said of a rule to its author, and what to write instead. */
export interface Complaint {
  readonly message: string
  readonly hint: string
}
