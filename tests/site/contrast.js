// The text of this page whose contrast to its background is less than LEAST (WCAG 2, 1.4.3): a list of "ratio: colours: text".
// The background is that of the element and its ancestors, one over the other; opacity counts.
(() => {
  const LEAST = 4.5;
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const known = new Map();

  // [red, green, blue, alpha] of any CSS colour.
  function channels(colour) {
    if (!known.has(colour)) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
      known.set(colour, [red, green, blue, alpha / 255]);
    }
    return known.get(colour);
  }

  function over([red, green, blue, alpha], below) {
    return [red, green, blue].map((value, at) => value * alpha + below[at] * (1 - alpha));
  }

  function luminance(colour) {
    const [red, green, blue] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function background(element) {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      const layer = channels(getComputedStyle(each).backgroundColor);
      if (layer[3] > 0) layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
  }

  function opacity(element) {
    let product = 1;
    for (let each = element; each; each = each.parentElement) product *= Number(getComputedStyle(each).opacity);
    return product;
  }

  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const style = getComputedStyle(element);
    const text = walker.currentNode.textContent.trim();
    if (!text || /^(SCRIPT|STYLE|NOSCRIPT|TEMPLATE)$/.test(element.tagName)) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    seen += 1;
    const behind = background(element);
    const [red, green, blue, alpha] = channels(element instanceof SVGElement ? style.fill : style.color);
    const front = over([red, green, blue, alpha * opacity(element)], behind);
    const [lighter, darker] = [luminance(front), luminance(behind)].sort((one, other) => other - one);
    const ratio = (lighter + 0.05) / (darker + 0.05);
    if (ratio < LEAST) {
      const place = `${element.tagName.toLowerCase()}.${[...element.classList].join(".")}`;
      found.push(`${ratio.toFixed(2)}: ${front.map(Math.round)} on ${behind.map(Math.round)}: ${place} '${text.slice(0, 40)}'`);
    }
  }
  return { seen, found: [...new Set(found)] };
})()
