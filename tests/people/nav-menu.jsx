import React, {useState, useEffect, useRef} from 'react'
import { Menu, X, ChevronDown } from 'lucide-react'
import clsx from 'clsx'

const links = [{label:'Home',href:'/'},{label:'Docs',href:'/docs'},{label:'More',children:[{label:'Blog',href:'/blog'},{label:'Team',href:'/team'}]}]

const NavMenu = () => {
    const [menuOpen, setMenuOpen] = useState(false)
    const [sub, setSub] = useState(false)
    const navRef = useRef(null)
    useEffect(() => {
        const close = (e) => { if (navRef.current && !navRef.current.contains(e.target)) { setSub(false) } }
        document.addEventListener('mousedown', close)
        return () => document.removeEventListener('mousedown', close)
    }, [])
    return (
        <nav ref={navRef} aria-label="Main" className="flex flex-wrap items-center justify-between p-4">
            <a href="/" className="text-xl font-bold">Acme</a>
            <button className="md:hidden" aria-label="Menu" aria-expanded={menuOpen} onClick={() => setMenuOpen(!menuOpen)}>{menuOpen ? <X/> : <Menu/>}</button>
            <ul className={clsx('w-full md:flex md:w-auto md:gap-6', {hidden: !menuOpen, block: menuOpen})}>
                {links.map(l => (
                    <li key={l.label} className="relative">
                        {l.children ? <>
                            <button onClick={() => setSub(s => !s)} aria-expanded={sub} className="inline-flex items-center">{l.label} <ChevronDown size={16}/></button>
                            {sub && <ul className="absolute z-10 mt-2 w-40 rounded bg-surface shadow">{l.children.map(c => <li key={c.label}><a className="block px-4 py-2" href={c.href}>{c.label}</a></li>)}</ul>}
                        </> : <a href={l.href}>{l.label}</a>}
                    </li>
                ))}
            </ul>
        </nav>
    )
}

export default React.memo(NavMenu)
