const EN = {
  home: "/shop/",
  menu: "Shop",
  otherHome: "/shop/de/",
  otherLang: "de",
  otherName: "Deutsch",
  links: [
    { href: "/shop/pieces/", label: "Pieces" },
    { href: "/shop/journal/", label: "Journal" },
    { href: "/shop/about/", label: "Workshop" },
    { href: "/shop/contact/", label: "Contact" },
    { href: "/shop/search/", label: "Search" },
  ],
  all: "All",
  kinds: "Kinds",
  soldOut: "Sold out",
  left: (count: number) => (count === 1 ? "The last one" : `${count} on the shelf`),
  high: "Height",
  glaze: "Glaze",
  ask: "Ask for it",
  contact: "/shop/contact/",
  back: "All pieces",
  shelf: "/shop/pieces/",
  glazes: { sea: "Sea", ash: "Ash", sand: "Sand", iron: "Iron", moss: "Moss", night: "Night" },
  locale: "en-IE",
  foot: "Thrown, glazed and fired in the old ice house at the quay.",
};

const DE: typeof EN = {
  home: "/shop/de/",
  menu: "Laden",
  otherHome: "/shop/",
  otherLang: "en",
  otherName: "English",
  links: [
    { href: "/shop/de/stuecke/", label: "Stücke" },
    { href: "/shop/journal/", label: "Tagebuch" },
    { href: "/shop/de/werkstatt/", label: "Werkstatt" },
    { href: "/shop/de/kontakt/", label: "Kontakt" },
    { href: "/shop/de/suche/", label: "Suche" },
  ],
  all: "Alle",
  kinds: "Arten",
  soldOut: "Ausverkauft",
  left: (count) => (count === 1 ? "Das letzte" : `${count} im Regal`),
  high: "Höhe",
  glaze: "Glasur",
  ask: "Danach fragen",
  contact: "/shop/de/kontakt/",
  back: "Alle Stücke",
  shelf: "/shop/de/stuecke/",
  glazes: { sea: "See", ash: "Asche", sand: "Sand", iron: "Eisen", moss: "Moos", night: "Nacht" },
  locale: "de-DE",
  foot: "Gedreht, glasiert und gebrannt im alten Eishaus am Kai.",
};

export const words = (lang: string | null | undefined) => (lang?.startsWith("de") ? DE : EN);

export const price = (cents: number, locale: string) =>
  new Intl.NumberFormat(locale, { style: "currency", currency: "EUR", maximumFractionDigits: 0 }).format(
    cents / 100,
  );

export const day = (date: string, locale: string) =>
  new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" }).format(new Date(date));
