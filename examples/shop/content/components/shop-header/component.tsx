import { words } from "@robbieblocks/shop-words";
import type { Props } from "@robbieblocks/shop-header/props";

export default function ShopHeader({ here, lang, other }: Props) {
  const text = words(lang);
  return (
    <div className="shop-header">
      <a className="brand" href={text.home}>
        Kelp <span aria-hidden="true">&amp;</span>
        <span className="sr">and</span> Clay
      </a>
      <nav aria-label={text.menu}>
        {text.links.map(({ href, label }) => (
          <a key={href} href={href} aria-current={here.startsWith(href) ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <a className="lang" href={other ?? text.otherHome} hrefLang={text.otherLang} lang={text.otherLang}>
        {text.otherName}
      </a>
    </div>
  );
}
