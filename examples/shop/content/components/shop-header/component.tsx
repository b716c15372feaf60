import { words } from "@robbieblocks/shop-words";
import type { Props } from "@robbieblocks/shop-header/props";

export default function ShopHeader({ here, lang, translations }: Props) {
  const text = words(lang);
  const other = translations.find((each) => !each.current);
  return (
    <div className="shop-header">
      <a className="brand" href={text.home}>
        Kelp <span aria-hidden="true">&amp;</span>
        <span className="sr">and</span> Clay
      </a>
      <nav aria-label={text.menu}>
        {text.links.map(({ href, label }) => (
          <a key={href} href={href} aria-current={here === href ? "page" : here.startsWith(href) || undefined}>
            {label}
          </a>
        ))}
      </nav>
      <a className="lang" href={other?.route ?? text.otherHome} hrefLang={text.otherLang} lang={text.otherLang}>
        {text.otherName}
      </a>
    </div>
  );
}
