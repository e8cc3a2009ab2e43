"""The addresses of the server, as the provider knows them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Paths below the public address (without a final slash) for one provider."""

    public_url: str
    provider: str

    @property
    def voice(self) -> str:
        return f"/{self.provider}/voice"

    @property
    def media(self) -> str:
        return f"/{self.provider}/media"

    @property
    def after_stream(self) -> str:
        return f"/{self.provider}/after-stream"

    @property
    def after_dial(self) -> str:
        return f"/{self.provider}/after-dial"

    @property
    def after_people(self) -> str:
        """Asked when the human line was rung for a caller outside the assistant's share."""
        return f"/{self.provider}/after-people"

    @property
    def whisper(self) -> str:
        return f"/{self.provider}/whisper"

    @property
    def person(self) -> str:
        """Below it, what is asked and told about people rung beside a call, by the call and a secret name."""
        return f"/{self.provider}/person"

    @property
    def back(self) -> str:
        """Below it, by call, the document of a caller who is fetched back while a person is rung."""
        return f"/{self.provider}/back"

    @property
    def events(self) -> str:
        """Where the provider tells how calls stand; nothing it is told here is answered with a document."""
        return f"/{self.provider}/events"

    @property
    def dialled(self) -> str:
        """Below it, what is asked and told about a call we placed, by the number of its order."""
        return f"/{self.provider}/dialled"

    @property
    def media_url(self) -> str:
        """The media stream's address: wss, or ws on loopback without TLS."""
        return "ws" + self.url(self.media).removeprefix("http")

    def url(self, path: str) -> str:
        """A path as a whole address."""
        return self.public_url + path
