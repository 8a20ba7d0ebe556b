"""Networks: encoders, the projection, and the mask network. They know nothing of losses or views."""

from ecglipse.models.encoders import ENCODERS as ENCODERS
from ecglipse.models.encoders import encode as encode
from ecglipse.models.encoders import encoder as encoder
