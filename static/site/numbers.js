// Numbers as people of this page's language write them.

const format = (options) => new Intl.NumberFormat(document.documentElement.lang, options);

/** A share of 1. */
export const percent = (share) => format({ style: "percent" }).format(share);

/** A size in bytes, in the unit that suits it. */
export function size(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) { bytes /= 1000; unit += 1; }
  return format({
    style: "unit", unit: units[unit], unitDisplay: unit ? "short" : "long", maximumFractionDigits: unit > 1 ? 1 : 0,
  }).format(bytes);
}
