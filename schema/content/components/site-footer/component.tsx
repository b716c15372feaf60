import { Fragment } from "react";

interface SiteFooterProps {
  line: string;
  links: { label: string; href: string }[];
}

export const SiteFooter = ({ line, links }: SiteFooterProps) => (
  <div className="foot">
    <p>{line}</p>
    <p>
      {links.map((link, index) => (
        <Fragment key={link.href}>
          {index > 0 && " · "}
          <a href={link.href}>{link.label}</a>
        </Fragment>
      ))}
    </p>
  </div>
);
