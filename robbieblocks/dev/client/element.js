// Makes elements.

/**
 * An element with properties and children; texts stay texts.
 * @type {<K extends keyof HTMLElementTagNameMap>(
 *   name: K, properties?: Partial<HTMLElementTagNameMap[K]>, ...children: (Node | string)[]
 * ) => HTMLElementTagNameMap[K]}
 */
export const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
