const marks = (text: string): string => {
  let mark = '#';
  while (text.includes(mark)) mark += '#';
  return mark;
};

/** JSON of a value, two blanks a level; a bigint is a number with all its digits, which JSON allows. */
export function jsonOf(value: unknown): string {
  let big = false;
  const text = JSON.stringify(
    value,
    (_, v: unknown) => {
      if (typeof v !== 'bigint') return v;
      big = true;
      return 0;
    },
    2,
  );
  if (!big) return text;
  const mark = marks(text); // stands in no text of the value
  const marked = JSON.stringify(
    value,
    (_, v: unknown) => (typeof v === 'bigint' ? `${mark}${v}` : v),
    2,
  );
  return marked.replace(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1');
}
