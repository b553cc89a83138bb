import type { Spec } from '../charts/chart.js';
import { toPng } from '../export/image.js';
import { toText } from '../export/text.js';

/** Show a chart in a notebook cell as a picture. */
export async function plot(spec: Spec): Promise<void> {
  const { display } = await import('tslab');
  display.png(await toPng(spec));
}

/** Show a chart in a notebook cell as the text that goes into a mail. */
export async function text(spec: Spec): Promise<void> {
  const { display } = await import('tslab');
  display.text(toText(spec));
}
