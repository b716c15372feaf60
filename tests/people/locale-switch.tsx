import { createContext, useContext, useMemo, useState, type PropsWithChildren } from "react";

type Lang = "en" | "de";
const dictionary: Record<Lang, Record<string, string>> = {
  en: { hello: "Hello", bye: "Goodbye" },
  de: { hello: "Hallo", bye: "Tschüss" },
};
const LangContext = createContext<{ lang: Lang; setLang: (l: Lang) => void } | null>(null);

const useLang = () => {
  const value = useContext(LangContext);
  if (!value) throw new Error("useLang must be used inside LangProvider");
  return value;
};

function LangProvider({ children }: PropsWithChildren) {
  const [lang, setLang] = useState<Lang>("en");
  const value = useMemo(() => ({ lang, setLang }), [lang]);
  return <LangContext.Provider value={value}>{children}</LangContext.Provider>;
}

function T({ k }: { k: string }) {
  return <>{dictionary[useLang().lang][k] ?? k}</>;
}

function Picker() {
  const { lang, setLang } = useLang();
  return (
    <select aria-label="Language" value={lang} onChange={(e) => setLang(e.target.value as Lang)}>
      <option value="en">English</option>
      <option value="de">Deutsch</option>
    </select>
  );
}

export default function LocaleSwitch() {
  return (
    <LangProvider>
      <p className="greet"><T k="hello" />, <T k="bye" /></p>
      <Picker />
    </LangProvider>
  );
}
