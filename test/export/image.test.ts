import { Resvg } from '@resvg/resvg-js';
import { expect, test } from 'vitest';
import { heading, palette, theme } from '../../src/charts/theme.js';
import { toPng, toSvg } from '../../src/export/image.js';
import type { Spec } from '../../src/export/text.js';

const bars = (names: readonly string[]): Spec => ({
  config: theme,
  title: heading('What was counted', 'n = 3', `trace ${'x'.repeat(200)}`),
  data: { values: names.map((name, i) => ({ name, n: i + 1 })) },
  mark: 'bar',
  encoding: {
    y: { field: 'name', type: 'nominal', title: 'task' },
    x: { field: 'n', type: 'quantitative', title: 'overwrites' },
  },
});

const names = [
  'insmod',
  'WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW',
  '</svg><script>x</script>',
  'a\u0001b\n\u001b',
  '\ud800',
];

test('the same spec gives the same bytes', async () => {
  expect(await toSvg(bars(names))).toBe(await toSvg(structuredClone(bars(names))));
  expect(Buffer.from(await toPng(bars(names))).equals(Buffer.from(await toPng(bars(names))))).toBe(
    true,
  );
});

test('no name gets out of its text', async () => {
  const svg = await toSvg(bars(names));
  expect(svg).not.toContain('<script');
  expect(svg).toContain('a\\x01b\\x0a\\x1b');
  expect(/[\p{Cc}\p{Cs}]/u.test(svg.replaceAll('\n', ''))).toBe(false);
  expect(() => new Resvg(svg)).not.toThrow();
});

test('nothing is drawn outside the frame', async () => {
  for (const list of [names, ['M'.repeat(300)], ['']]) {
    const svg = await toSvg(bars(list));
    const frame = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg);
    const drawn = svg.replace(/<rect [^>]*fill="#ffffff"\/>/, '');
    const box = new Resvg(drawn, { font: { loadSystemFonts: true } }).getBBox();
    expect(frame && box).toBeTruthy();
    expect(box!.x).toBeGreaterThanOrEqual(0);
    expect(box!.y).toBeGreaterThanOrEqual(0);
    expect(box!.x + box!.width).toBeLessThanOrEqual(Number(frame![1]));
    expect(box!.y + box!.height).toBeLessThanOrEqual(Number(frame![2]));
  }
});

test('text is in the PNG though no system font is loaded', async () => {
  const bare = { ...bars([]), title: undefined } as Spec;
  const blank = new Resvg(await toSvg(bare), { font: { loadSystemFonts: false } }).render().asPng();
  const png = await toPng(bare, { scale: 1 });
  expect([...png.subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
  expect(png.length).toBeGreaterThan(blank.length + 500);
});

test('data is never fetched', async () => {
  const spec = { data: { url: 'http://127.0.0.1:1/x.json' }, mark: 'point' };
  const svg = await toSvg(spec).catch((e: Error) => e.message);
  expect(svg).not.toContain('ECONNREFUSED');
});

/** Relative luminance of '#rrggbb' (WCAG 2.1). */
function luminance(color: string): number {
  const part = (i: number): number => {
    const c = Number.parseInt(color.slice(i, i + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
}

test('neighbouring colours differ in grey', () => {
  for (let i = 1; i < palette.length; i++) {
    const [a, b] = [luminance(palette[i - 1]!), luminance(palette[i]!)].sort((x, y) => y - x);
    expect((a! + 0.05) / (b! + 0.05), `${palette[i - 1]} ${palette[i]}`).toBeGreaterThan(1.5);
  }
});
