// The package has no types of its own; this is what we use of it.
declare module 'ttest' {
  /** Two-sample t test; Welch's when the variances are not taken to be equal. */
  export default function ttest(
    left: readonly number[],
    right: readonly number[],
    options: { readonly varEqual: boolean },
  ): { pValue(): number };
}
