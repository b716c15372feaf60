"""What the receiver says to visitors, in the languages that it knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from robbieblocks.assemble import AnswerWords


class Words(NamedTuple):
    """The words of one language. Those that continue nothing are whole sentences."""

    lang: str = "en"
    answers: AnswerWords = AnswerWords()
    thanks: str = "Thank you"
    arrived: str = "It has arrived."
    correct: str = "Please correct these fields"
    not_sent: str = "It was not sent"
    send: str = "Send"
    leave_empty: str = "Leave this empty"
    first_page: str = "To the first page"
    no_form: str = "There is no such form."
    foreign: str = "It was sent from another site."
    too_many: str = "Too many forms were sent from your network. Please try again later."
    too_late: str = "It did not arrive in time."
    unreadable: str = "It can't be read, is too large, or has a file."
    gone: str = "This form is no longer on the page. Please open the page again."
    unavailable: str = (
        "It can't be taken at the moment, and was not kept. Please try again in a minute."
    )


ENGLISH: Final = Words()

_OTHERS: Final = (
    Words(
        lang="de",
        answers=AnswerWords(
            tick="Bitte ankreuzen.",
            fill_in="Bitte ausfüllen.",
            too_long="Höchstens {most} Zeichen sind möglich.",
            thousands=".",
            characters="Bitte Zeichen entfernen, die nicht gespeichert werden können.",
            choose="Bitte eine der Möglichkeiten wählen.",
            pattern="Bitte in der verlangten Form schreiben.",
            email="Bitte eine E-Mail-Adresse schreiben, etwa ada@example.org.",
            number="Bitte eine Zahl schreiben.",
            date="Bitte ein Datum schreiben, etwa 2026-11-30.",
        ),
        thanks="Vielen Dank",
        arrived="Es ist angekommen.",
        correct="Bitte diese Felder berichtigen",
        not_sent="Es wurde nicht gesendet",
        send="Senden",
        leave_empty="Bitte leer lassen",
        first_page="Zur ersten Seite",
        no_form="Dieses Formular gibt es nicht.",
        foreign="Es kam von einer fremden Website.",
        too_many="Aus diesem Netz kamen zu viele Formulare. Bitte später noch einmal versuchen.",
        too_late="Es ist nicht rechtzeitig angekommen.",
        unreadable="Es ist nicht lesbar, zu groß oder enthält eine Datei.",
        gone="Dieses Formular steht nicht mehr auf der Seite. Bitte die Seite neu öffnen.",
        unavailable=(
            "Es kann gerade nicht angenommen werden und wurde nicht gespeichert. Bitte in einer "
            "Minute noch einmal versuchen."
        ),
    ),
    Words(
        lang="fr",
        answers=AnswerWords(
            tick="Veuillez cocher cette case.",
            fill_in="Veuillez remplir ce champ.",
            too_long="Écrivez au plus {most} caractères.",
            thousands="\u202f",
            characters="Veuillez retirer les caractères qui ne peuvent pas être conservés.",
            choose="Veuillez choisir une des réponses proposées.",
            pattern="Veuillez respecter la forme demandée.",
            email="Veuillez écrire une adresse e-mail, par exemple ada@example.org.",
            number="Veuillez écrire un nombre.",
            date="Veuillez écrire une date, par exemple 2026-11-30.",
        ),
        thanks="Merci",
        arrived="Le formulaire est bien arrivé.",
        correct="Veuillez corriger ces champs",
        not_sent="Le formulaire n'a pas été envoyé",
        send="Envoyer",
        leave_empty="Laissez ce champ vide",
        first_page="Vers la première page",
        no_form="Ce formulaire n'existe pas.",
        foreign="Il a été envoyé depuis un autre site.",
        too_many="Trop de formulaires sont venus de votre réseau. Veuillez réessayer plus tard.",
        too_late="Il n'est pas arrivé à temps.",
        unreadable="Il est illisible, trop grand, ou contient un fichier.",
        gone="Ce formulaire n'est plus sur la page. Veuillez ouvrir la page à nouveau.",
        unavailable=(
            "Il ne peut pas être reçu pour le moment et n'a pas été conservé. Veuillez réessayer "
            "dans une minute."
        ),
    ),
    Words(
        lang="es",
        answers=AnswerWords(
            tick="Marque esta casilla.",
            fill_in="Rellene este campo.",
            too_long="Escriba como máximo {most} caracteres.",
            thousands=".",
            characters="Quite los caracteres que no se pueden guardar.",
            choose="Elija una de las opciones.",
            pattern="Escríbalo en la forma que se pide.",
            email="Escriba una dirección de correo, por ejemplo ada@example.org.",
            number="Escriba un número.",
            date="Escriba una fecha, por ejemplo 2026-11-30.",
        ),
        thanks="Gracias",
        arrived="El formulario ha llegado.",
        correct="Corrija estos campos",
        not_sent="El formulario no se ha enviado",
        send="Enviar",
        leave_empty="Deje este campo vacío",
        first_page="A la primera página",
        no_form="Este formulario no existe.",
        foreign="Se envió desde otro sitio.",
        too_many="Se enviaron demasiados formularios desde su red. Inténtelo más tarde.",
        too_late="No llegó a tiempo.",
        unreadable="No se puede leer, es demasiado grande o contiene un archivo.",
        gone="Este formulario ya no está en la página. Abra la página de nuevo.",
        unavailable=(
            "No se puede recibir en este momento y no se ha guardado. Inténtelo de nuevo en un "
            "minuto."
        ),
    ),
)
_BY_LANGUAGE: Final = {each.lang: each for each in (ENGLISH, *_OTHERS)}
_ACCEPTED: Final = 20


def words_of(*languages: str) -> Words:
    """The words of the first of these BCP 47 tags that is known; English ones where none is."""
    mains = (each.partition("-")[0].strip().lower() for each in languages)
    return next((_BY_LANGUAGE[main] for main in mains if main in _BY_LANGUAGE), ENGLISH)


def accepted(header: str) -> Iterable[str]:
    """The tags of `Accept-Language` as they stand: browsers write the best first (RFC 9110)."""
    return [each.partition(";")[0] for each in header[:1000].split(",")[:_ACCEPTED]]
