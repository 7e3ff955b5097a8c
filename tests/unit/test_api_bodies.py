"""What a body's numbers are: JSON Schema's integer and nothing that merely looks like one."""

from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from api.listings.parameters import WHOLE

MONTHS = TypeAdapter(Annotated[int, Field(ge=-3, le=1485), WHOLE])


@pytest.mark.parametrize("sent", ["1485", "1485.0", "-3", "1e3"])
def test_a_whole_number_is_an_integer_however_json_writes_it(sent: str) -> None:
    read = MONTHS.validate_json(sent)

    assert (read, type(read)) == (int(float(sent)), int)


@pytest.mark.parametrize("sent", ['"1485"', "true", "1485.5", "null", "[1]", "NaN", "1486"])
def test_nothing_else_is_an_integer(sent: str) -> None:
    with pytest.raises(ValidationError):
        MONTHS.validate_json(sent)


def test_the_specification_calls_it_an_integer_with_its_limits() -> None:
    assert MONTHS.json_schema() == {"type": "integer", "minimum": -3, "maximum": 1485}
